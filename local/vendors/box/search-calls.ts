import * as v from "valibot";
import { type ApiCall, call } from "../kit/calls.ts";
import type { Kit } from "../kit/start-vendor.ts";
import { extensionOf } from "../media-type.ts";
import { refused } from "./errors.ts";
import { FIELDS, itemById, OFFSET, offsetPage, READ } from "./item-calls.ts";
import { type BoxItem, type BoxNode, itemOf, QUOTA_BYTES, timeOf, typeOf, userOf } from "./items.ts";

const SEARCH = v.strictObject({
  ...FIELDS,
  ...OFFSET,
  query: v.optional(v.string(), ""),
  type: v.optional(v.picklist(["file", "folder", "web_link"])),
  ancestor_folder_ids: v.optional(v.string()),
  file_extensions: v.optional(v.string()),
  content_types: v.optional(v.string(), "name,description"),
  trash_content: v.optional(v.literal("non_trashed_only")),
  scope: v.optional(v.literal("user_content")),
  sort: v.optional(v.picklist(["relevance", "modified_at"])),
  direction: v.optional(v.picklist(["ASC", "DESC"])),
});

const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");

/** Each word of the query begins a word of the name or the description. */
function isFound(node: BoxNode, query: string, contentTypes: string): boolean {
  const { description } = node.detail.own;
  const types = contentTypes.split(",");
  const words = [
    ...(types.includes("name") ? wordsOf(node.name) : []),
    ...(types.includes("description") ? wordsOf(description) : []),
  ];
  return wordsOf(query).every((asked) => words.some((word) => word.startsWith(asked)));
}

/** https://developer.box.com/reference/get-search (2026-11-27): words, not parts of words; at most 200 items. */
export function searchCalls(kit: Kit<BoxItem>): ApiCall<BoxItem>[] {
  return [
    call("GET /2.0/search", { scopes: READ, query: SEARCH }, ({ account }, { query }) => {
      if (query.query === "") throw refused(400, "bad_request", "query is required");
      const folders = query.ancestor_folder_ids?.split(",").map((id) => itemById(account, id, "folder"));
      const extensions = query.file_extensions?.toLowerCase().split(",");
      const hits = [...account.tree.below(account.root.id)].filter(
        (node) =>
          account.isSearchable(node) &&
          isFound(node, query.query, query.content_types) &&
          (query.type === undefined || typeOf(node) === query.type) &&
          (extensions === undefined || (!node.directory && extensions.includes(extensionOf(node.name)))) &&
          (folders === undefined || folders.some((folder) => account.tree.isInside(node, folder))),
      );
      const page = offsetPage(hits, { ...query, limit: query.limit ?? 30 }, 200);
      const entries = page.entries.map((node) =>
        itemOf(account, node, { origin: kit.origin, fields: query.fields }),
      );
      return { ...page, type: "search_results_items", entries };
    }),
    call("GET /2.0/users/me", { query: v.strictObject(FIELDS) }, ({ account }, { query }) => {
      const user: Record<string, unknown> = {
        ...userOf(account),
        created_at: timeOf(account.root.createdAt),
        modified_at: timeOf(account.root.createdAt),
        language: "en",
        timezone: "America/Los_Angeles",
        space_amount: QUOTA_BYTES,
        space_used: account.tree.usedBytes(),
        max_upload_size: 250 * 1024 ** 2,
        status: "active",
        job_title: "",
        phone: "",
        address: "",
        avatar_url: "https://app.box.com/api/avatar/large/1",
        notification_email: null,
      };
      if (query.fields === undefined) return user;
      const asked = ["type", "id", ...query.fields.split(",")];
      return Object.fromEntries(Object.entries(user).filter(([name]) => asked.includes(name)));
    }),
  ];
}
