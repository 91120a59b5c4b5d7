import type { files } from "dropbox";
import * as v from "valibot";
import { type ApiCalls, type Caller, rpc } from "./call.ts";
import { checkPath, type DropboxAccount, type DropboxNode, WriteRefused } from "./dropbox-account.ts";
import { BadInput, conflict, EndpointError, lookup, pathError, type Tagged } from "./errors.ts";
import {
  deletedReference,
  fileMetadata,
  folderMetadata,
  newestOf,
  reference,
  timestamp,
} from "./metadata.ts";
import { absolutePath, notRoot, resolvePath } from "./resolve-path.ts";

const RELOCATION = v.strictObject({
  from_path: v.string(),
  to_path: v.string(),
  allow_shared_folder: v.optional(v.boolean()),
  autorename: v.optional(v.boolean(), false),
  allow_ownership_transfer: v.optional(v.boolean()),
});
type Relocation = v.InferOutput<typeof RELOCATION>;

/** https://www.dropbox.com/developers/documentation/http/documentation#files-get_metadata and the following calls */
export const entryCalls: ApiCalls = {
  "files/get_metadata": rpc(
    "files.metadata.read",
    v.strictObject({
      path: v.string(),
      include_media_info: v.optional(v.boolean()),
      include_deleted: v.optional(v.boolean(), false),
      include_has_explicit_shared_members: v.optional(v.boolean()),
      include_property_groups: v.optional(v.nullable(v.unknown())),
    }),
    ({ account }, input) => {
      const node = resolvePath(account, notRoot(input.path));
      if (node !== undefined) return reference(account, node);
      const deleted = account.deleted.get(input.path.toLowerCase());
      if (input.include_deleted && deleted !== undefined) return deletedReference(deleted.path);
      throw pathError("not_found");
    },
  ),
  "files/create_folder_v2": rpc(
    "files.content.write",
    v.strictObject({ path: v.string(), autorename: v.optional(v.boolean(), false) }),
    ({ account }, input): files.CreateFolderResult => {
      if (!input.path.startsWith("/"))
        throw new BadInput(
          `path: '${input.path}' did not match pattern '(/(.|[\\r\\n])*)|(ns:[0-9]+(/.*)?)'`,
        );
      return writing(path, () => {
        const existing = account.at(input.path);
        if (existing !== undefined && !input.autorename) {
          throw new WriteRefused(conflict(existing.directory ? "folder" : "file"));
        }
        return { metadata: folderMetadata(account, account.folderAt(account.freePath(input.path))) };
      });
    },
  ),
  "files/delete_v2": rpc(
    "files.content.write",
    v.strictObject({ path: v.string(), parent_rev: v.optional(v.string()) }),
    ({ account }, input): files.DeleteResult => {
      const node = resolvePath(account, notRoot(input.path));
      if (node === undefined) throw wrapped("path_lookup", lookup("not_found"));
      if (input.parent_rev !== undefined && newestOf(node).id !== input.parent_rev) {
        throw wrapped("path_write", conflict("file"));
      }
      if (!account.isMounted(node)) throw wrapped("path_write", { ".tag": "no_write_permission" });
      const metadata = reference(account, node);
      account.remove(node);
      return { metadata };
    },
  ),
  "files/move_v2": rpc("files.content.write", RELOCATION, (caller, input) => relocate(caller, input, true)),
  "files/copy_v2": rpc("files.content.write", RELOCATION, (caller, input) => relocate(caller, input, false)),
  "files/list_revisions": rpc(
    "files.metadata.read",
    v.strictObject({
      path: v.string(),
      mode: v.optional(
        v.union([v.picklist(["path", "id"]), v.strictObject({ ".tag": v.picklist(["path", "id"]) })]),
      ),
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 10),
      before_rev: v.optional(v.string()),
    }),
    ({ account }, input) => revisions(account, input),
  ),
  "files/restore": rpc(
    "files.content.write",
    v.strictObject({ path: v.string(), rev: v.string() }),
    ({ account }, input): files.FileMetadata => {
      const node = resolvePath(account, input.path) ?? account.deleted.get(input.path.toLowerCase())?.node;
      const revision = node?.revisions.find((each) => each.id === input.rev);
      if (revision === undefined) throw new EndpointError({ ".tag": "invalid_revision" } satisfies Tagged);
      return writing(write, () =>
        fileMetadata(account, account.write(input.path, revision.content, revision.clientModifiedAt)),
      );
    },
  ),
};

function relocate({ account }: Caller, input: Relocation, isMove: boolean): files.RelocationResult {
  const node = resolvePath(account, notRoot(input.from_path));
  if (node === undefined) throw wrapped("from_lookup", lookup("not_found"));
  const wanted = absolutePath(account, notRoot(input.to_path));
  if (wanted === undefined || !wanted.startsWith("/")) throw wrapped("to", { ".tag": "malformed_path" });
  return writing(to, () => {
    checkPath(wanted);
    refuseNesting(account, node, wanted);
    const existing = account.at(wanted);
    if (existing !== undefined && !input.autorename) {
      // Also if only the case of letters differs: "we do not currently support case-only renaming".
      throw new WriteRefused(conflict(existing.directory ? "folder" : "file"));
    }
    const path = account.freePath(wanted);
    if (isMove && !account.isMounted(node)) throw new WriteRefused({ ".tag": "no_write_permission" });
    if (!isMove) return { metadata: reference(account, account.copy(node, path)) };
    account.move(node, path);
    return { metadata: reference(account, node) };
  });
}

function refuseNesting(account: DropboxAccount, node: DropboxNode, path: string): void {
  if (!account.isMounted(node)) return;
  const from = `${account.tree.pathOf(node)}/`.toLowerCase();
  if (node.directory && path.toLowerCase().startsWith(from)) {
    throw new EndpointError({ ".tag": "duplicated_or_nested_paths" } satisfies Tagged);
  }
}

function revisions(
  account: DropboxAccount,
  { path, limit, before_rev: before }: { path: string; limit: number; before_rev?: string | undefined },
): files.ListRevisionsResult {
  const node = resolvePath(account, notRoot(path));
  const deleted = node === undefined ? account.deleted.get(path.toLowerCase()) : undefined;
  const found = node ?? deleted?.node;
  if (found === undefined) throw pathError("not_found");
  if (found.directory) throw pathError("not_file");
  const all = found.revisions.toReversed();
  const beforeIndex = before === undefined ? -1 : all.findIndex((revision) => revision.id === before);
  if (before !== undefined && beforeIndex < 0) {
    throw new EndpointError({ ".tag": "invalid_before_rev" } satisfies Tagged);
  }
  const newestFirst = all.slice(beforeIndex + 1);
  const at = deleted?.path ?? account.tree.pathOf(found);
  return {
    is_deleted: deleted !== undefined,
    ...(deleted === undefined ? {} : { server_deleted: timestamp(deleted.at) }),
    entries: newestFirst.slice(0, limit).map((revision) => fileMetadata(account, found, revision, at)),
    has_more: newestFirst.length > limit,
  };
}

/** Wraps a refused write into the endpoint's own union. */
function writing<Result>(wrap: (reason: files.WriteError) => EndpointError, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (error instanceof WriteRefused) throw wrap(error.reason);
    throw error;
  }
}

const wrapped = (tag: string, inner: Tagged) => new EndpointError({ ".tag": tag, [tag]: inner } as Tagged);
const path = (reason: files.WriteError) => wrapped("path", reason);
const write = (reason: files.WriteError) => wrapped("path_write", reason);
const to = (reason: files.WriteError) => wrapped("to", reason);
