import * as v from "valibot";
import { type ApiCall, call } from "../kit/calls.ts";
import { hasWords } from "../kit/find-words.ts";
import { selectFields } from "../kit/select-fields.ts";
import type { Kit } from "../kit/start-vendor.ts";
import { invalid } from "./errors.ts";
import { FIELDS, itemById, listPage, OFFSET, READ } from "./item-calls.ts";
import { type BoxItem, itemOf, QUOTA_BYTES, timeOf, userOf } from "./items.ts";

const SEARCH = v.strictObject({
  ...FIELDS,
  ...OFFSET,
  query: v.optional(v.string(), ""),
  ancestor_folder_ids: v.optional(v.string()),
});

/** https://developer.box.com/reference/get-search (2026-11-27): words, not parts of words; at most 200 items. */
export function searchCalls(kit: Kit<BoxItem>): ApiCall<BoxItem>[] {
  return [
    call("GET /2.0/search", { scopes: READ, query: SEARCH }, ({ account }, { query }) => {
      if (query.query === "") throw invalid("query", "missing_parameter");
      const folders = query.ancestor_folder_ids?.split(",").map((id) => itemById(account, id, "folder"));
      const hits = [...account.tree.below(account.root.id)].filter(
        (node) =>
          account.isSearchable(node) &&
          hasWords(query.query, node.name, node.detail.own.description) &&
          (folders === undefined || folders.some((folder) => account.tree.isInside(node, folder))),
      );
      const page = listPage(hits, { ...query, limit: query.limit ?? 30 }, 200);
      const shown = { origin: kit.origin, fields: query.fields };
      const entries = page.entries.map((node) => itemOf(account, node, shown));
      return { ...page, type: "search_results_items", entries };
    }),
    call("GET /2.0/users/me", { query: v.strictObject(FIELDS) }, ({ account }, { query }) => {
      const since = timeOf(account.root.createdAt);
      const user = {
        ...userOf(account),
        created_at: since,
        modified_at: since,
        space_amount: QUOTA_BYTES,
        space_used: account.tree.usedBytes(),
        max_upload_size: 250 * 1024 ** 2,
        status: "active",
        language: "en",
        timezone: "America/Los_Angeles",
        ...Object.fromEntries(["job_title", "phone", "address", "avatar_url"].map((name) => [name, ""])),
        notification_email: null,
      };
      return selectFields(user, query.fields, ["type", "id"]);
    }),
  ];
}
