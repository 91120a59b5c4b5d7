import type { files } from "dropbox";
import * as v from "valibot";
import { wholeText } from "../content.ts";
import { extensionOf } from "../media-type.ts";
import type { PageTokens } from "../page-token.ts";
import { type ApiCalls, rpc } from "./call.ts";
import type { DropboxAccount, DropboxNode } from "./dropbox-account.ts";
import { BadInput, EndpointError, pathError, type Tagged } from "./errors.ts";
import { deletedReference, newestOf, reference } from "./metadata.ts";
import { resolvePath } from "./resolve-path.ts";

const MAX_TEXT_BYTES = 1_000_000;
const tag = <const Tags extends readonly string[]>(tags: Tags) =>
  v.union([v.picklist(tags), v.strictObject({ ".tag": v.picklist(tags) })]);

const ARGUMENTS = v.strictObject({
  query: v.pipe(v.string(), v.maxLength(1000)),
  options: v.optional(
    v.nullable(
      v.strictObject({
        path: v.optional(v.string(), ""),
        max_results: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), 100),
        order_by: v.optional(tag(["relevance", "last_modified_time"])),
        file_status: v.optional(tag(["active", "deleted"]), "active"),
        filename_only: v.optional(v.boolean(), false),
        file_extensions: v.optional(v.array(v.string())),
        file_categories: v.optional(v.array(v.unknown())),
        account_id: v.optional(v.string()),
      }),
    ),
  ),
  match_field_options: v.optional(v.strictObject({ include_highlights: v.optional(v.boolean()) })),
  include_highlights: v.optional(v.boolean()),
});
type SearchArguments = v.InferOutput<typeof ARGUMENTS>;

interface Cursor {
  readonly login: string;
  readonly search: SearchArguments;
  readonly offset: number;
}

/** https://www.dropbox.com/developers/documentation/http/documentation#files-search_v2 */
export function searchCalls(tokens: PageTokens): ApiCalls {
  return {
    "files/search_v2": rpc("files.metadata.read", ARGUMENTS, ({ account }, input) =>
      resultPage(account, { login: account.login, search: input, offset: 0 }, tokens),
    ),
    "files/search/continue_v2": rpc(
      "files.metadata.read",
      v.strictObject({ cursor: v.string() }),
      ({ account }, input) => {
        const cursor = tokens.open<Cursor>(input.cursor);
        if (cursor?.search === undefined || cursor.login !== account.login) {
          throw new BadInput('Invalid "cursor" parameter: it was not issued for this account');
        }
        return resultPage(account, cursor, tokens);
      },
    ),
  };
}

function resultPage(account: DropboxAccount, cursor: Cursor, tokens: PageTokens): files.SearchV2Result {
  const found = search(account, cursor.search);
  const end = cursor.offset + (cursor.search.options?.max_results ?? 100);
  const hasMore = found.length > end;
  return {
    matches: found.slice(cursor.offset, end),
    has_more: hasMore,
    ...(hasMore ? { cursor: tokens.seal({ ...cursor, offset: end } satisfies Cursor) } : {}),
  };
}

function search(account: DropboxAccount, { query, options }: SearchArguments): files.SearchMatchV2[] {
  if (query.trim() === "") {
    throw new EndpointError({
      ".tag": "invalid_argument",
      invalid_argument: "query must not be empty",
    } as Tagged);
  }
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const folder = resolvePath(account, options?.path ?? "");
  if (folder === undefined) throw pathError("not_found");
  if (isDeletedWanted(options)) {
    return [...account.deleted.values()]
      .filter(({ node }) => words.every((word) => node.name.toLowerCase().includes(word)))
      .map(({ path }) => match(deletedReference(path), "filename"));
  }
  const extensions = options?.file_extensions?.map((extension) => extension.replace(/^\./, "").toLowerCase());
  const nodes = folder.directory ? [...account.tree.below(folder.id)] : [folder];
  const order = options?.order_by;
  if ((typeof order === "object" ? order[".tag"] : order) === "last_modified_time") {
    nodes.sort((left, right) => right.modifiedAt - left.modifiedAt);
  }
  return nodes.flatMap((node) => {
    if (extensions !== undefined && (node.directory || !extensions.includes(extensionOf(node.name))))
      return [];
    const name = node.name.toLowerCase();
    if (words.every((word) => name.includes(word))) return [match(reference(account, node), "filename")];
    if (options?.filename_only === true || node.directory) return [];
    const text = `${name}\n${textOf(node)}`;
    return words.every((word) => text.includes(word))
      ? [match(reference(account, node), "file_content")]
      : [];
  });
}

function isDeletedWanted(options: SearchArguments["options"]): boolean {
  const status = options?.file_status;
  return (typeof status === "object" ? status[".tag"] : status) === "deleted";
}

function textOf(node: DropboxNode): string {
  const { content, mediaType } = newestOf(node);
  return /^text\/|json|xml/.test(mediaType) ? (wholeText(content, MAX_TEXT_BYTES)?.toLowerCase() ?? "") : "";
}

function match(
  metadata: files.MetadataV2Metadata["metadata"],
  type: "filename" | "file_content",
): files.SearchMatchV2 {
  return { metadata: { ".tag": "metadata", metadata }, match_type: { ".tag": type } };
}
