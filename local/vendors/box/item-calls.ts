import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { textContent } from "../content.ts";
import { jsonAnswer } from "../http/answer.ts";
import { type ApiCall, type Caller, call, integerText } from "../kit/calls.ts";
import { offsetPage } from "../kit/pages.ts";
import type { Kit } from "../kit/start-vendor.ts";
import { invalid, notFound, refused } from "./errors.ts";
import { type BoxAccount, type BoxItem, type BoxNode, itemOf, typeOf } from "./items.ts";

export const READ = ["root_readonly", "root_readwrite"];
export const WRITE = ["root_readwrite"];

export const FIELDS = { fields: v.optional(v.string()) };
export const OFFSET = {
  offset: v.optional(integerText(0, Number.MAX_SAFE_INTEGER), "0"),
  limit: v.optional(integerText(1, Number.MAX_SAFE_INTEGER)),
};
const QUERY = v.strictObject(FIELDS);
const RECURSIVE = v.strictObject({ recursive: v.optional(v.picklist(["true", "false"])) });
const LIST = v.strictObject({
  ...FIELDS,
  ...OFFSET,
  usemarker: v.optional(v.picklist(["true", "false"])),
  marker: v.optional(v.string()),
  sort: v.optional(v.picklist(["id", "name", "date", "size"])),
  direction: v.optional(v.picklist(["ASC", "DESC"])),
});
const PARENT = v.strictObject({ id: v.string() });
const SHARED_LINK = v.strictObject({
  access: v.optional(v.picklist(["open", "company", "collaborators"])),
  permissions: v.optional(v.strictObject({ can_download: v.optional(v.boolean()) })),
});
const CHANGES = v.strictObject({
  name: v.optional(v.string()),
  parent: v.optional(PARENT),
  description: v.optional(v.pipe(v.string(), v.maxLength(256))),
  tags: v.optional(v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(100))),
  shared_link: v.optional(v.nullable(SHARED_LINK)),
});
const COPY = v.strictObject({ name: v.optional(v.string()), parent: PARENT });
const NEW_WEB_LINK = v.strictObject({
  url: v.pipe(v.string(), v.regex(/^https?:\/\//)),
  parent: PARENT,
  name: v.optional(v.string()),
  description: v.optional(v.string(), ""),
});

const PLACES = { file: "files", folder: "folders", web_link: "web_links" } as const;
type Kind = keyof typeof PLACES;

/** @throws {Refused} 404 */
export function itemById(account: BoxAccount, id: string | undefined, kind: Kind): BoxNode {
  const node = account.tree.get(id ?? "");
  if (node !== undefined && typeOf(node) === kind) return node;
  throw account.trash.has(id ?? "") ? refused(404, "trashed", "Item is trashed") : notFound();
}

/** The item of a change. @throws {Refused} 404, or 412 if it has another etag than `If-Match` */
export function changing({ account, request, parameters }: Caller<BoxItem>, kind: Kind): BoxNode {
  const node = itemById(account, parameters.id, kind);
  const etag = request.header("if-match") ?? String(node.detail.etag);
  if (etag !== String(node.detail.etag)) throw refused(412, "precondition_failed");
  return node;
}

/** The calls that files, folders and web links have alike. */
export function itemCalls(kit: Kit<BoxItem>): ApiCall<BoxItem>[] {
  return (Object.keys(PLACES) as Kind[]).flatMap((kind) => callsOf(kit, kind));
}

function callsOf(kit: Kit<BoxItem>, kind: Kind): ApiCall<BoxItem>[] {
  const place = `/2.0/${PLACES[kind]}/{id}`;
  const write = { scopes: WRITE, query: QUERY };
  const shown = (account: BoxAccount, node: BoxNode, fields: string | undefined) => {
    const item = itemOf(account, node, { origin: kit.origin, fields });
    const isWhole = kind === "folder" && fields === undefined;
    return isWhole ? { ...item, item_collection: itemsOf(kit, account, node, { offset: 0 }) } : item;
  };
  const own: ApiCall<BoxItem>[] = [
    call(`GET ${place}`, { scopes: READ, query: QUERY }, ({ account, parameters }, { query }) => {
      const node = itemById(account, parameters.id, kind);
      account.refuseIfSwitched(node, "read");
      return shown(account, node, query.fields);
    }),
    call(`PUT ${place}`, { ...write, body: CHANGES }, (caller, { query, body }) => {
      const { account } = caller;
      const node = changing(caller, kind);
      const { name = node.name, parent, description, tags, shared_link: link } = body;
      if (name !== node.name || parent !== undefined) {
        const to = parent === undefined ? {} : { parent: itemById(account, parent.id, "folder") };
        account.move(node, { name, ...to });
      } else account.refuseIfSwitched(node, "write");
      const { own: details } = node.detail;
      if (description !== undefined) details.description = description;
      if (tags !== undefined) details.tags = tags;
      if (link !== undefined) details.sharedLink = link === null ? undefined : linkOf(details, link);
      account.touch(node);
      return shown(account, node, query.fields);
    }),
    call(`DELETE ${place}`, { scopes: WRITE, query: RECURSIVE }, (caller, { query }) => {
      const node = changing(caller, kind);
      const isFull = caller.account.tree.children(node.id).length > 0;
      if (isFull && query.recursive !== "true") throw refused(400, "folder_not_empty");
      caller.account.moveToTrash(node);
      return { status: 204 };
    }),
    call(`POST ${place}`, { ...write, body: v.strictObject({}) }, ({ account, parameters }, { query }) => {
      const node = account.restore(parameters.id ?? "");
      if (node === undefined) throw refused(403, "not_trashed");
      return jsonAnswer(201, shown(account, node, query.fields));
    }),
    call(`DELETE ${place}/trash`, { scopes: WRITE }, ({ account, parameters }) => {
      if (!account.trash.delete(parameters.id ?? "")) throw notFound();
      return { status: 204 };
    }),
  ];
  const copying = call<BoxItem, typeof QUERY, typeof COPY>(
    `POST ${place}/copy`,
    { ...write, body: COPY },
    ({ account, parameters }, { query, body }) => {
      const parent = itemById(account, body.parent.id, "folder");
      const copy = account.copy(itemById(account, parameters.id, kind), parent, body.name);
      return jsonAnswer(201, shown(account, copy, query.fields));
    },
  );
  return kind === "web_link" ? own : [...own, copying];
}

function linkOf(own: BoxItem, link: v.InferOutput<typeof SHARED_LINK>): BoxItem["sharedLink"] {
  const before = own.sharedLink;
  return {
    key: before?.key ?? randomBytes(16).toString("hex"),
    access: link.access ?? before?.access ?? "open",
    canDownload: link.permissions?.can_download ?? before?.canDownload ?? true,
  };
}

/** The items of a folder: folders first, then by name, as the reference has it. */
function itemsOf(
  kit: Kit<BoxItem>,
  account: BoxAccount,
  folder: BoxNode,
  query: Omit<v.InferOutput<typeof LIST>, "sort" | "direction">,
): unknown {
  const rank = ({ directory }: BoxNode) => (directory ? 0 : 1);
  const children = account.tree
    .children(folder.id)
    .sort((left, right) => rank(left) - rank(right) || left.name.localeCompare(right.name));
  // A list shows the mini representation if the request names no fields.
  const fields = query.fields ?? "sequence_id,name,sha1,file_version,url";
  const entry = (node: BoxNode) => itemOf(account, node, { origin: kit.origin, fields });
  if (query.usemarker !== "true") {
    const order = ["type", "name"].map((by) => ({ by, direction: "ASC" }));
    const page = listPage(children, query, 1000);
    return { ...page, entries: page.entries.map(entry), order };
  }
  const limit = Math.min(query.limit ?? 100, 1000);
  const page = kit.pages.page(`items of ${folder.id}`, children, query.marker, limit);
  if (page === undefined) throw invalid("marker");
  return { entries: page.items.map(entry), limit, next_marker: page.next ?? null };
}

/** https://developer.box.com/guides/api-calls/pagination/offset-based (2026-11-27). @throws {Refused} */
export function listPage<Item>(
  all: readonly Item[],
  { offset, limit = 100 }: { readonly offset: number; readonly limit?: number | undefined },
  maxLimit: number,
) {
  if (offset > 10_000) throw invalid("offset");
  return offsetPage(all, offset, Math.min(limit, maxLimit));
}

export function folderCalls(kit: Kit<BoxItem>): ApiCall<BoxItem>[] {
  return [
    call(
      "POST /2.0/folders",
      { scopes: WRITE, query: QUERY, body: v.strictObject({ name: v.string(), parent: PARENT }) },
      ({ account }, input) => {
        const { name, parent } = input.body;
        const node = account.addFolder(itemById(account, parent.id, "folder"), name);
        const { fields } = input.query;
        const folder = itemOf(account, node, { origin: kit.origin, fields });
        const inside = { item_collection: itemsOf(kit, account, node, { offset: 0 }) };
        return jsonAnswer(201, fields === undefined ? { ...folder, ...inside } : folder);
      },
    ),
    call("POST /2.0/web_links", { scopes: WRITE, body: NEW_WEB_LINK }, ({ account }, { body }) => {
      const { url, parent, name = url.slice(0, 255), description } = body;
      const node = account.addFile(itemById(account, parent.id, "folder"), name, textContent(""));
      Object.assign(node.detail.own, { url, description });
      return itemOf(account, node, { origin: kit.origin, fields: undefined });
    }),
    call("GET /2.0/folders/{id}/items", { scopes: READ, query: LIST }, ({ account, parameters }, { query }) =>
      itemsOf(kit, account, itemById(account, parameters.id, "folder"), query),
    ),
  ];
}
