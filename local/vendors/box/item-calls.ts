import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { textContent } from "../content.ts";
import { jsonAnswer } from "../http/answer.ts";
import { type ApiCall, type Caller, call, integerText } from "../kit/calls.ts";
import type { Kit } from "../kit/start-vendor.ts";
import { invalid, notFound, refused } from "./errors.ts";
import { type BoxAccount, type BoxItem, type BoxNode, isStale, itemOf, typeOf } from "./items.ts";

export const READ = ["root_readonly", "root_readwrite"];
export const WRITE = ["root_readwrite"];

export const FIELDS = { fields: v.optional(v.string()) };
export const OFFSET = {
  offset: v.optional(integerText(0, Number.MAX_SAFE_INTEGER), "0"),
  limit: v.optional(integerText(1, Number.MAX_SAFE_INTEGER)),
};
const PARENT = v.strictObject({ id: v.string() });
const SHARED_LINK = v.nullable(
  v.strictObject({
    access: v.optional(v.picklist(["open", "company", "collaborators"])),
    password: v.optional(v.nullable(v.pipe(v.string(), v.minLength(8)))),
    unshared_at: v.optional(v.nullable(v.string())),
    vanity_name: v.optional(v.pipe(v.string(), v.minLength(12))),
    permissions: v.optional(
      v.strictObject({ can_download: v.optional(v.boolean()), can_preview: v.optional(v.boolean()) }),
    ),
  }),
);
const CHANGES = {
  name: v.optional(v.string()),
  parent: v.optional(PARENT),
  description: v.optional(v.pipe(v.string(), v.maxLength(256))),
  tags: v.optional(v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(100))),
  shared_link: v.optional(SHARED_LINK),
};

const NOTHING: v.GenericSchema<unknown, { readonly recursive?: string | undefined }> = v.strictObject({});
const RECURSIVE = v.strictObject({ recursive: v.optional(v.picklist(["true", "false"])) });

type Kind = "file" | "folder" | "web_link";

/** @throws {Refused} 404 */
export function itemById(account: BoxAccount, id: string | undefined, kind: Kind): BoxNode {
  const node = account.tree.get(id ?? "");
  if (node !== undefined && typeOf(node) === kind) return node;
  if (account.trash.has(id ?? "")) throw refused(404, "trashed", "Item is trashed");
  throw notFound();
}

/** The calls that files, folders and web links have alike. */
export function itemCalls(kit: Kit<BoxItem>): ApiCall<BoxItem>[] {
  return [
    ...callsOf(kit, "file", "files"),
    ...callsOf(kit, "folder", "folders"),
    ...callsOf(kit, "web_link", "web_links"),
  ];
}

function callsOf(kit: Kit<BoxItem>, kind: Kind, place: string): ApiCall<BoxItem>[] {
  const shown = (account: BoxAccount, node: BoxNode, fields: string | undefined) => {
    const item = itemOf(account, node, { origin: kit.origin, fields });
    const isWhole = kind === "folder" && fields === undefined;
    return isWhole ? { ...item, item_collection: firstItems(account, node, kit.origin) } : item;
  };
  const changing = ({ account, request, parameters }: Caller<BoxItem>): BoxNode => {
    const node = itemById(account, parameters.id, kind);
    if (isStale(request, node)) throw refused(412, "precondition_failed", "The resource has been modified.");
    return node;
  };
  const query = v.strictObject(FIELDS);
  return [
    call(`GET /2.0/${place}/{id}`, { scopes: READ, query }, ({ account, request, parameters }, input) => {
      const node = itemById(account, parameters.id, kind);
      account.refuseIfSwitched(node, "read");
      if (request.header("if-none-match") === String(node.detail.etag)) return { status: 304 };
      return shown(account, node, input.query.fields);
    }),
    call(
      `PUT /2.0/${place}/{id}`,
      {
        scopes: WRITE,
        query,
        body: v.strictObject(kind === "web_link" ? { ...CHANGES, url: v.optional(v.string()) } : CHANGES),
      },
      (caller, { query: { fields }, body }) => {
        const { account } = caller;
        const node = changing(caller);
        const { name, parent, description, tags, shared_link: link } = body;
        if (name !== undefined || parent !== undefined) {
          account.move(node, {
            ...(name === undefined ? {} : { name }),
            ...(parent === undefined ? {} : { parent: itemById(account, parent.id, "folder") }),
          });
        } else account.refuseIfSwitched(node, "write");
        const { own } = node.detail;
        if (description !== undefined) own.description = description;
        if (tags !== undefined) own.tags = tags;
        if (link !== undefined) own.sharedLink = link === null ? undefined : linkOf(own, link);
        if (name === undefined && parent === undefined) account.touch(node);
        return shown(account, node, fields);
      },
    ),
    call(
      `DELETE /2.0/${place}/{id}`,
      {
        scopes: WRITE,
        query: kind === "folder" ? RECURSIVE : NOTHING,
      },
      (caller, input) => {
        const node = changing(caller);
        const isWhole = input.query.recursive === "true";
        if (!isWhole && caller.account.tree.children(node.id).length > 0) {
          throw refused(400, "folder_not_empty", "Cannot delete - folder not empty");
        }
        caller.account.moveToTrash(node);
        return { status: 204 };
      },
    ),
    call(
      `POST /2.0/${place}/{id}`,
      {
        scopes: WRITE,
        query,
        body: v.strictObject({ name: v.optional(v.string()), parent: v.optional(PARENT) }),
      },
      ({ account, parameters }, { query: { fields } }) => {
        const trashed = account.trash.get(parameters.id ?? "");
        if (trashed === undefined) throw refused(403, "not_trashed", "Item is not trashed");
        const node = account.restore(parameters.id ?? "");
        if (node === undefined) throw notFound();
        return jsonAnswer(201, shown(account, node, fields));
      },
    ),
    call(`DELETE /2.0/${place}/{id}/trash`, { scopes: WRITE }, ({ account, parameters }) => {
      if (!account.trash.delete(parameters.id ?? "")) throw notFound();
      return { status: 204 };
    }),
    ...(kind === "web_link"
      ? []
      : [
          call<BoxItem, typeof query, typeof COPY>(
            `POST /2.0/${place}/{id}/copy`,
            { scopes: WRITE, query, body: COPY },
            ({ account, parameters }, { query: { fields }, body }) => {
              const node = itemById(account, parameters.id, kind);
              const parent = itemById(account, body.parent.id, "folder");
              return jsonAnswer(201, shown(account, account.copy(node, parent, body.name), fields));
            },
          ),
        ]),
  ];
}

const COPY = v.strictObject({
  name: v.optional(v.string()),
  parent: PARENT,
  version: v.optional(v.string()),
});

function linkOf(own: BoxItem, link: NonNullable<v.InferOutput<typeof SHARED_LINK>>): BoxItem["sharedLink"] {
  const before = own.sharedLink;
  return {
    key: before?.key ?? randomBytes(16).toString("hex"),
    access: link.access ?? before?.access ?? "open",
    canDownload: link.permissions?.can_download ?? before?.canDownload ?? true,
    hasPassword: link.password === undefined ? (before?.hasPassword ?? false) : link.password !== null,
  };
}

/** Folders first, then by name, as the reference of the item list has it. */
function sortedChildren(account: BoxAccount, folder: BoxNode): BoxNode[] {
  return account.tree
    .children(folder.id)
    .sort((left, right) =>
      left.directory === right.directory ? left.name.localeCompare(right.name) : left.directory ? -1 : 1,
    );
}

function firstItems(account: BoxAccount, folder: BoxNode, origin: string): unknown {
  const children = sortedChildren(account, folder);
  return {
    total_count: children.length,
    entries: children.slice(0, 100).map((node) => listed(account, node, origin, undefined)),
    offset: 0,
    limit: 100,
    order: ORDER,
  };
}

const ORDER = [
  { by: "type", direction: "ASC" },
  { by: "name", direction: "ASC" },
];

/** An item of a list: the mini representation, if the request names no fields. */
function listed(
  account: BoxAccount,
  node: BoxNode,
  origin: string,
  fields: string | undefined,
): Record<string, unknown> {
  return itemOf(account, node, { origin, fields: fields ?? "sequence_id,name,sha1,file_version,url" });
}

/** https://developer.box.com/guides/api-calls/pagination/offset-based (2026-11-27). @throws {Refused} */
export function offsetPage<Item>(
  all: readonly Item[],
  { offset, limit = 100 }: { readonly offset: number; readonly limit?: number | undefined },
  maxLimit: number,
): { total_count: number; entries: readonly Item[]; offset: number; limit: number } {
  if (offset > 10_000) throw refused(400, "bad_request", "Invalid value for offset: at most 10000");
  const size = Math.min(limit, maxLimit);
  return { total_count: all.length, entries: all.slice(offset, offset + size), offset, limit: size };
}

export function folderCalls(kit: Kit<BoxItem>): ApiCall<BoxItem>[] {
  return [
    call(
      "POST /2.0/folders",
      {
        scopes: WRITE,
        query: v.strictObject(FIELDS),
        body: v.strictObject({ name: v.string(), parent: PARENT }),
      },
      ({ account }, { query: { fields }, body }) => {
        const node = account.addFolder(itemById(account, body.parent.id, "folder"), body.name);
        return jsonAnswer(201, itemOf(account, node, { origin: kit.origin, fields }));
      },
    ),
    call(
      "POST /2.0/web_links",
      {
        scopes: WRITE,
        body: v.strictObject({
          url: v.pipe(v.string(), v.regex(/^https?:\/\//)),
          parent: PARENT,
          name: v.optional(v.string()),
          description: v.optional(v.string(), ""),
        }),
      },
      ({ account }, { body }) => {
        const parent = itemById(account, body.parent.id, "folder");
        const node = account.addFile(parent, body.name ?? body.url.slice(0, 255), textContent(""));
        Object.assign(node.detail.own, { url: body.url, description: body.description });
        return jsonAnswer(201, itemOf(account, node, { origin: kit.origin, fields: undefined }));
      },
    ),
    call(
      "GET /2.0/folders/{id}/items",
      {
        scopes: READ,
        query: v.strictObject({
          ...FIELDS,
          ...OFFSET,
          usemarker: v.optional(v.picklist(["true", "false"])),
          marker: v.optional(v.string()),
          sort: v.optional(v.picklist(["id", "name", "date", "size"])),
          direction: v.optional(v.picklist(["ASC", "DESC"])),
        }),
      },
      ({ account, parameters }, { query }) => {
        const folder = itemById(account, parameters.id, "folder");
        const children = sortedChildren(account, folder);
        const entry = (node: BoxNode) => listed(account, node, kit.origin, query.fields);
        if (query.usemarker !== "true") {
          const page = offsetPage(children, query, 1000);
          return { ...page, entries: page.entries.map(entry), order: ORDER };
        }
        const limit = Math.min(query.limit ?? 100, 1000);
        const page = kit.pages.page(`items of ${folder.id}`, children, query.marker, limit);
        if (page === undefined) throw invalid("marker", "Invalid marker");
        return { entries: page.items.map(entry), limit, next_marker: page.next ?? null };
      },
    ),
    call(
      "GET /2.0/folders/{id}/collaborations",
      { scopes: READ, query: v.strictObject(FIELDS) },
      (caller) => {
        itemById(caller.account, caller.parameters.id, "folder");
        return { total_count: 0, entries: [] };
      },
    ),
  ];
}
