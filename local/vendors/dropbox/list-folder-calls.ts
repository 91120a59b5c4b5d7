import type { files } from "dropbox";
import * as v from "valibot";
import type { Endpoint } from "../http/stand-in-server.ts";
import type { SwitchBoard } from "../kit/switches.ts";
import type { PageTokens } from "../page-token.ts";
import { type ApiCalls, bareEndpoint, rpc } from "./call.ts";
import type { DropboxAccount, DropboxNode } from "./dropbox-account.ts";
import type { DropboxAccounts } from "./dropbox-accounts.ts";
import { BadInput, EndpointError, pathError, type Tagged } from "./errors.ts";
import { deletedReference, type EntryReference, reference } from "./metadata.ts";
import { resolvePath } from "./resolve-path.ts";

const DEFAULT_LIMIT = 500;
const SHORT_PAGE = 2;

const ARGUMENTS = v.strictObject({
  path: v.string(),
  recursive: v.optional(v.boolean(), false),
  include_media_info: v.optional(v.boolean()),
  include_deleted: v.optional(v.boolean(), false),
  include_has_explicit_shared_members: v.optional(v.boolean()),
  include_mounted_folders: v.optional(v.boolean()),
  include_property_groups: v.optional(v.nullable(v.unknown())),
  include_non_downloadable_files: v.optional(v.boolean()),
  limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2000)), DEFAULT_LIMIT),
});

/** Position of a listing: first the folder's content, sorted by path, then the later changes. */
interface Cursor {
  readonly login: string;
  readonly folder: string;
  readonly recursive: boolean;
  readonly includeDeleted: boolean;
  readonly limit: number;
  /** The listing contains the changes up to this number. */
  readonly sequence: number;
  /** Last path of the first listing that was sent; absent after the end of the first listing. */
  readonly after?: string;
}

/** https://www.dropbox.com/developers/documentation/http/documentation#files-list_folder */
export function listFolderCalls(tokens: PageTokens, switches: SwitchBoard): ApiCalls {
  const start = (account: DropboxAccount, input: v.InferOutput<typeof ARGUMENTS>): Cursor => {
    if (input.path === "/") {
      throw new BadInput('path: Specify the root folder as an empty string rather than as "/".');
    }
    const node = resolvePath(account, input.path);
    if (node === undefined) throw pathError("not_found");
    if (!node.directory) throw pathError("not_folder");
    const { recursive, include_deleted: includeDeleted } = input;
    // "This is an approximate number" (ListFolderArg.limit).
    const limit = switches.state.pages === "full" ? input.limit : Math.min(input.limit, SHORT_PAGE);
    const { login, sequence } = account;
    return { login, folder: node.id, recursive, includeDeleted, limit, sequence, after: "" };
  };
  const result = (page: {
    entries: EntryReference[];
    cursor: Cursor;
    hasMore: boolean;
  }): files.ListFolderResult => ({
    entries: page.entries,
    cursor: tokens.seal(page.cursor),
    has_more: page.hasMore,
  });
  return {
    "files/list_folder": rpc("files.metadata.read", ARGUMENTS, ({ account }, input) =>
      result(nextPage(account, start(account, input))),
    ),
    "files/list_folder/get_latest_cursor": rpc("files.metadata.read", ARGUMENTS, ({ account }, input) => {
      const { after: _listed, ...cursor } = start(account, input);
      return { cursor: tokens.seal(cursor) } satisfies files.ListFolderGetLatestCursorResult;
    }),
    "files/list_folder/continue": rpc(
      "files.metadata.read",
      v.strictObject({ cursor: v.pipe(v.string(), v.minLength(1)) }),
      ({ account }, input) => {
        const cursor = tokens.open<Cursor>(input.cursor);
        if (cursor?.folder === undefined || cursor.login !== account.login) {
          throw new BadInput('Invalid "cursor" parameter: it was not issued for this account');
        }
        return result(nextPage(account, cursor));
      },
    ),
  };
}

/**
 * Waits for changes after a cursor, up to `timeout` seconds (the vendor adds up to 90 s of jitter; the stand-in adds none):
 * https://www.dropbox.com/developers/documentation/http/documentation#files-list_folder-longpoll
 */
export function longpollEndpoint(tokens: PageTokens, accounts: DropboxAccounts): Endpoint {
  const timeout = v.optional(v.pipe(v.number(), v.integer(), v.minValue(30), v.maxValue(480)), 30);
  const schema = v.strictObject({ cursor: v.pipe(v.string(), v.minLength(1)), timeout });
  return bareEndpoint("files/list_folder/longpoll", schema, async (input) => {
    const cursor = tokens.open<Cursor>(input.cursor);
    const account = accounts.find(cursor?.login ?? "");
    if (cursor === undefined || account === undefined) throw new BadInput('Invalid "cursor" parameter');
    await account.changedAfter(cursor.sequence, input.timeout * 1000);
    return { changes: account.sequence > cursor.sequence } satisfies files.ListFolderLongpollResult;
  });
}

function nextPage(account: DropboxAccount, cursor: Cursor) {
  const folder = account.tree.get(cursor.folder);
  if (folder === undefined) throw pathError("not_found");
  return cursor.after === undefined
    ? changes(account, folder, cursor)
    : listing(account, folder, cursor, cursor.after);
}

function listing(account: DropboxAccount, folder: DropboxNode, cursor: Cursor, after: string) {
  const nodes = cursor.recursive ? [...account.tree.below(folder.id)] : account.tree.children(folder.id);
  const all: EntryReference[] = nodes.map((node) => reference(account, node));
  // A recursive listing of a folder other than the root starts with the folder itself.
  if (cursor.recursive && folder.parentId !== undefined) all.push(reference(account, folder));
  if (cursor.includeDeleted) {
    for (const { path } of account.deleted.values()) {
      if (isBelow(account, path, folder, cursor.recursive)) all.push(deletedReference(path));
    }
  }
  const left = all
    .map((entry) => ({ entry, key: entry.path_lower ?? "" }))
    .filter(({ key }) => key > after)
    .sort((one, other) => (one.key < other.key ? -1 : 1));
  const page = left.slice(0, cursor.limit);
  const hasMore = left.length > page.length;
  const { after: _before, ...rest } = cursor;
  return {
    entries: page.map(({ entry }) => entry),
    cursor: hasMore ? { ...rest, after: page.at(-1)?.key ?? after } : rest,
    hasMore,
  };
}

function changes(account: DropboxAccount, folder: DropboxNode, cursor: Cursor) {
  const since = account.changesAfter(cursor.sequence);
  if (since === undefined) throw new EndpointError({ ".tag": "reset" } satisfies Tagged);
  const mine = since.filter((change) => isBelow(account, change.path, folder, cursor.recursive));
  const page = mine.slice(0, cursor.limit);
  const hasMore = mine.length > page.length;
  // Only the last change of each path counts.
  const last = new Map(page.map((change) => [change.path.toLowerCase(), change]));
  const entries = [...last.values()].flatMap((change): EntryReference[] => {
    const node = account.at(change.path);
    if (node !== undefined) return [reference(account, node)];
    return change.isDeletion ? [deletedReference(change.path)] : [];
  });
  const sequence = hasMore ? (page.at(-1)?.sequence ?? cursor.sequence) : account.sequence;
  return { entries, cursor: { ...cursor, sequence }, hasMore };
}

function isBelow(account: DropboxAccount, path: string, folder: DropboxNode, recursive: boolean): boolean {
  const prefix = `${account.tree.pathOf(folder)}/`.toLowerCase();
  const lower = path.toLowerCase();
  return lower.startsWith(prefix) && (recursive || !lower.slice(prefix.length).includes("/"));
}
