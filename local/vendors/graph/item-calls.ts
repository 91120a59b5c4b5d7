import { randomBytes, randomUUID } from "node:crypto";
import * as v from "valibot";
import { bytesContent } from "../content.ts";
import { type Answer, contentAnswer, jsonAnswer } from "../http/answer.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import { type ApiCall, type Caller, call, integerText, open } from "../kit/calls.ts";
import type { Kit } from "../kit/start-vendor.ts";
import { TreeRefused } from "../kit/tree-refused.ts";
import { READ, WRITE } from "./authorization.ts";
import { notFound, refuse, refused } from "./errors.ts";
import {
  contextOf,
  driveIdOf,
  eTagOf,
  type GraphAccount,
  type GraphItem,
  type GraphNode,
  itemOf,
  PROPERTIES,
  permissionOf,
  selected,
  versionOf,
} from "./items.ts";

/** "up to 250 MB": https://learn.microsoft.com/en-us/graph/api/driveitem-put-content (2026-11-27). */
const MAX_UPLOAD_BYTES = 250 * 1024 * 1024;
/** "The URL will only be available for a short period of time (1 hour)": the resource driveItem. */
const DOWNLOAD_MS = 3_600_000;
/** The default size of pages: https://learn.microsoft.com/en-us/graph/api/driveitem-list-children (2026-11-27). */
const PAGE_SIZE = 200;

const SELECT = {
  $select: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => text.split(",").every((name) => PROPERTIES.has(name.trim())), "unknown property"),
    ),
  ),
};
const ONE = v.strictObject({
  ...SELECT,
  $expand: v.optional(v.picklist(["children", "permissions", "thumbnails"])),
});
const MANY = v.strictObject({
  ...SELECT,
  $top: v.optional(integerText(1, 1000)),
  $skiptoken: v.optional(v.string()),
  $orderby: v.optional(v.string()),
});
const BEHAVIOR = v.optional(v.picklist(["fail", "replace", "rename"]));
const CONFLICT = v.strictObject({ ...SELECT, "@microsoft.graph.conflictBehavior": BEHAVIOR });
const REFERENCE = v.strictObject({
  id: v.optional(v.string()),
  driveId: v.optional(v.string()),
  path: v.optional(v.string()),
});
const NEW_FOLDER = v.strictObject({
  name: v.string(),
  folder: v.strictObject({}),
  description: v.optional(v.string()),
  "@microsoft.graph.conflictBehavior": BEHAVIOR,
});
const CHANGES = v.strictObject({
  name: v.optional(v.string()),
  description: v.optional(v.string()),
  parentReference: v.optional(REFERENCE),
});
const PLACE = v.strictObject({ name: v.optional(v.string()), parentReference: v.optional(REFERENCE) });
const LINK = v.strictObject({
  type: v.picklist(["view", "edit", "embed"]),
  // OneDrive of a person has no organization.
  scope: v.optional(v.picklist(["anonymous", "users"]), "anonymous"),
  password: v.optional(v.string()),
  expirationDateTime: v.optional(v.string()),
  retainInheritedPermissions: v.optional(v.boolean()),
});

/** Where an item is in a URL, and how paths in the answers begin. */
const DRIVES = [
  { url: "/v1.0/me/drive", base: "/drive" },
  { url: "/v1.0/drives/{drive}", base: undefined },
] as const;

interface Asked {
  readonly account: GraphAccount;
  readonly node: GraphNode;
  readonly base: string;
}

/** Id-based and path-based addresses: https://learn.microsoft.com/en-us/graph/onedrive-addressing-driveitems (2026-11-27). */
const ADDRESSES = ["/items/{id}:/{path+}:", "/root:/{path+}:", "/items/{id}", "/root"];

/** The item, or of a path without an item its parent and the new name. @throws {Refused} 404 */
function place({ account, parameters }: Caller<GraphItem>): Omit<Asked, "node"> & {
  readonly node?: GraphNode | undefined;
  readonly parent?: GraphNode | undefined;
  readonly name: string;
} {
  const { drive, id, path } = parameters;
  if (drive !== undefined && drive.toLowerCase() !== driveIdOf(account)) throw notFound();
  const from = id === undefined || id === "root" ? account.root : account.tree.get(id);
  if (from === undefined) throw notFound();
  const base = drive === undefined ? "/drive" : `/drives/${driveIdOf(account)}`;
  if (path === undefined) return { account, base, node: from, name: from.name };
  const slash = path.lastIndexOf("/");
  const parent = account.at(path.slice(0, Math.max(slash, 0)), from);
  const name = path.slice(slash + 1);
  return { account, base, node: account.at(path, from), parent, name };
}

function asked(caller: Caller<GraphItem>): Asked {
  const { node, ...rest } = place(caller);
  if (node === undefined) throw notFound();
  return { ...rest, node };
}

/** https://learn.microsoft.com/en-us/graph/api/resources/driveitem (2026-11-27) */
export function itemCalls(kit: Kit<GraphItem>): ApiCall<GraphItem>[] {
  const shown = ({ account, base, node }: Asked, select?: string): Record<string, unknown> => {
    const url = node.directory ? {} : { "@microsoft.graph.downloadUrl": downloadUrl(kit, account, node) };
    return selected({ ...itemOf(account, node, base), ...url }, select);
  };
  const one = (place: Asked, select?: string) => ({
    ...contextOf("drives/items/$entity"),
    ...shown(place, select),
  });
  const list = (
    caller: Caller<GraphItem>,
    items: Record<string, unknown>[],
    query: v.InferOutput<typeof MANY>,
  ) => {
    const page = kit.pages.page(caller.request.path, items, query.$skiptoken, query.$top ?? PAGE_SIZE);
    if (page === undefined) throw refused(400, "invalidRequest", "$skiptoken is not valid");
    const next = new URLSearchParams(caller.request.query);
    next.set("$skiptoken", page.next ?? "");
    return {
      ...contextOf("Collection(driveItem)"),
      ...(page.next === undefined
        ? {}
        : { "@odata.nextLink": `https://graph.microsoft.com${caller.request.path}?${next}` }),
      value: page.items,
    };
  };
  const changing = (caller: Caller<GraphItem>): Asked => {
    const found = asked(caller);
    const tag = caller.request.header("if-match");
    if (tag !== undefined && tag !== "*" && tag !== eTagOf(found.node))
      throw refused(412, "resourceModified", "ETag does not match current item's value");
    return found;
  };
  const parentIn = ({ account }: Asked, reference: v.InferOutput<typeof REFERENCE>): GraphNode => {
    const { id, driveId, path } = reference;
    if (driveId !== undefined && driveId.toLowerCase() !== driveIdOf(account)) throw notFound();
    // "your app cannot use the "id:" "root" syntax": https://learn.microsoft.com/en-us/graph/api/driveitem-move
    const below = path?.split("root:")[1];
    const node = id === undefined ? account.at(decodeURIComponent(below ?? "")) : account.tree.get(id);
    if (node === undefined || (id === undefined && below === undefined)) throw notFound();
    return node;
  };

  const on = (url: string): ApiCall<GraphItem>[] => {
    const each = <T>(make: (address: string) => T): T[] =>
      ADDRESSES.map((address) => make(`${url}${address}`));
    return [
      ...each((at) =>
        call<GraphItem, typeof MANY>(
          `GET ${at}/children`,
          { scopes: READ, query: MANY },
          (caller, { query }) => {
            const found = asked(caller);
            const items = found.account.tree
              .children(found.node.id)
              .sort((left, right) => left.name.localeCompare(right.name))
              .map((node) => shown({ ...found, node }, query.$select));
            return list(caller, items, query);
          },
        ),
      ),
      ...each((at) =>
        call<GraphItem, typeof CONFLICT, typeof NEW_FOLDER>(
          `POST ${at}/children`,
          { scopes: WRITE, query: CONFLICT, body: NEW_FOLDER },
          (caller, { body }) => {
            const parent = asked(caller);
            const taken = parent.account.child(parent.node, body.name);
            const isRenamed = body["@microsoft.graph.conflictBehavior"] === "rename";
            const name = taken !== undefined && isRenamed ? `${body.name} 1` : body.name;
            const node = parent.account.addFolder(parent.node, name);
            node.detail.own.description = body.description ?? "";
            return jsonAnswer(201, one({ ...parent, node }));
          },
        ),
      ),
      ...each((at) =>
        call<GraphItem>(`GET ${at}/content`, { scopes: READ }, (caller) => {
          const { account, node } = asked(caller);
          account.refuseIfSwitched(node, "read");
          if (node.directory) throw refused(404, "itemNotFound", "The item has no content");
          return { status: 302, headers: { Location: downloadUrl(kit, account, node) } };
        }),
      ),
      ...each((at) =>
        call<GraphItem, typeof CONFLICT>(
          `PUT ${at}/content`,
          { scopes: WRITE, query: CONFLICT },
          async (caller, { query }): Promise<Answer> => {
            const body = await caller.request.body();
            if (body.length > MAX_UPLOAD_BYTES)
              throw refused(413, "invalidRequest", "Maximum stream size exceeded");
            const { node, parent, name, ...rest } = place(caller);
            const content = bytesContent(body);
            if (node === undefined) {
              if (parent === undefined) throw notFound();
              return jsonAnswer(201, one({ ...rest, node: rest.account.addFile(parent, name, content) }));
            }
            // "The default for PUT is replace."
            const behavior = query["@microsoft.graph.conflictBehavior"] ?? "replace";
            if (behavior === "fail" || node.directory) return refuse({ kind: "name_taken", by: node });
            rest.account.write(node, content);
            return jsonAnswer(200, one({ ...rest, node }));
          },
        ),
      ),
      ...each((at) =>
        call<GraphItem, typeof CONFLICT, typeof PLACE>(
          `POST ${at}/copy`,
          { scopes: WRITE, query: CONFLICT, body: PLACE },
          (caller, { body }): Answer => {
            const found = asked(caller);
            const { account, node } = found;
            const parent = body.parentReference && parentIn(found, body.parentReference);
            const folder = parent ?? account.tree.parent(node) ?? account.root;
            const taken = account.child(folder, body.name ?? node.name);
            // OneDrive of a person does not know the conflict behavior here.
            if (taken !== undefined) return refuse({ kind: "name_taken", by: taken });
            const started = kit.operations.start(
              account.login,
              () => account.copy(node, folder, body.name).id,
            );
            return { status: 202, headers: { Location: `https://api.onedrive.com/monitor/${started.id}` } };
          },
        ),
      ),
      ...each((at) =>
        call<GraphItem, typeof CONFLICT, typeof LINK>(
          `POST ${at}/createLink`,
          { scopes: WRITE, query: CONFLICT, body: LINK },
          (caller, { body }) => {
            const { links } = asked(caller).node.detail.own;
            const known = links.find(({ type, scope }) => type === body.type && scope === body.scope);
            if (known !== undefined)
              return { ...contextOf("permission"), ...permissionOf(known, kit.origin) };
            const { type, scope } = body;
            const link = { id: randomUUID(), key: randomBytes(12).toString("base64url"), type, scope };
            links.push(link);
            return jsonAnswer(201, { ...contextOf("permission"), ...permissionOf(link, kit.origin) });
          },
        ),
      ),
      ...each((at) =>
        call<GraphItem>(`GET ${at}/permissions`, { scopes: READ }, (caller) => ({
          ...contextOf("Collection(permission)"),
          value: asked(caller).node.detail.own.links.map((link) => permissionOf(link, kit.origin)),
        })),
      ),
      ...each((at) =>
        call<GraphItem>(`DELETE ${at}/permissions/{permission}`, { scopes: WRITE }, (caller): Answer => {
          const { own } = asked(caller).node.detail;
          const left = own.links.filter(({ id }) => id !== caller.parameters.permission);
          if (left.length === own.links.length) throw notFound();
          own.links = left;
          return { status: 204 };
        }),
      ),
      ...each((at) =>
        call<GraphItem>(`GET ${at}/versions`, { scopes: READ }, (caller) => {
          const { account, node } = asked(caller);
          return {
            ...contextOf("Collection(driveItemVersion)"),
            value: node.revisions.map((revision) => versionOf(account, revision)).reverse(),
          };
        }),
      ),
      ...["/root", "/items/{id}"].map((at) =>
        call<GraphItem, typeof MANY>(
          `GET ${url}${at}/search(q='{text+}')`,
          { scopes: READ, query: MANY },
          (caller, { query }) => {
            const { account, node: folder } = asked(caller);
            const words = wordsOf((caller.parameters.text ?? "").replaceAll("''", "'"));
            const found = [...account.tree.below(folder.id)].filter(
              (node) =>
                account.isSearchable(node) &&
                words.every((word) => wordsOf(node.name).some((each) => each.startsWith(word))),
            );
            return list(
              caller,
              found.map((node) => selected({ ...itemOf(account, node) }, query.$select)),
              query,
            );
          },
        ),
      ),
      call<GraphItem>(`POST ${url}/items/{id}/permanentDelete`, { scopes: WRITE }, (caller): Answer => {
        const { account, node } = changing(caller);
        account.remove(node);
        return { status: 204 };
      }),
      call<GraphItem, v.GenericSchema<unknown, object>, typeof PLACE>(
        `POST ${url}/items/{id}/restore`,
        { scopes: WRITE, body: PLACE },
        (caller) => {
          const node = caller.account.restore(caller.parameters.id ?? "");
          if (node === undefined) throw notFound();
          return one({ account: caller.account, base: "/drive", node });
        },
      ),
      ...[...ADDRESSES, "/items/{id}:/{path+}", "/root:/{path+}"].flatMap((address) => [
        call<GraphItem, typeof ONE>(
          `GET ${url}${address}`,
          { scopes: READ, query: ONE },
          (caller, { query }) => {
            const found = asked(caller);
            found.account.refuseIfSwitched(found.node, "read");
            if (caller.request.header("if-none-match") === eTagOf(found.node)) return { status: 304 };
            return one(found, query.$select);
          },
        ),
        call<GraphItem, typeof CONFLICT, typeof CHANGES>(
          `PATCH ${url}${address}`,
          { scopes: WRITE, query: CONFLICT, body: CHANGES },
          (caller, { query, body: { name, parentReference, description } }) => {
            const found = changing(caller);
            const parent = parentReference && parentIn(found, parentReference);
            if (name !== undefined || parent !== undefined) {
              found.account.move(found.node, {
                ...(name === undefined ? {} : { name }),
                ...(parent === undefined ? {} : { parent }),
              });
            }
            if (description !== undefined) {
              found.node.detail.own.description = description;
              found.account.touch(found.node);
            }
            return one(found, query.$select);
          },
        ),
        call<GraphItem>(`DELETE ${url}${address}`, { scopes: WRITE }, (caller): Answer => {
          const { account, node } = changing(caller);
          account.moveToTrash(node);
          return { status: 204 };
        }),
      ]),
    ];
  };
  return DRIVES.flatMap(({ url }) => on(url));
}

const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");

interface Ticket {
  readonly login: string;
  readonly file: string;
  readonly until: number;
}

function downloadUrl(kit: Kit<GraphItem>, account: GraphAccount, node: GraphNode): string {
  const ticket: Ticket = { login: account.login, file: node.id, until: kit.now() + DOWNLOAD_MS };
  return `https://public.dm.files.1drv.com/y4m/${kit.tokens.seal(ticket)}`;
}

/** The URLs that need no token: downloads, and the monitors of copies. */
export function presigned(kit: Kit<GraphItem>): Endpoint[] {
  return [
    open("GET public.dm.files.1drv.com /y4m/{ticket}", "api", (request, parameters) => {
      const ticket = kit.tokens.open<Ticket>(parameters.ticket ?? "");
      const node = kit.accounts.find(ticket?.login ?? "")?.tree.get(ticket?.file ?? "");
      const newest = node?.revisions.at(-1);
      if (ticket === undefined || node === undefined || newest === undefined || ticket.until <= kit.now())
        throw notFound();
      request.note({ account: ticket.login });
      return contentAnswer(newest.content, request.header("range"), {
        "Content-Type": newest.mediaType,
        "Content-Disposition": `attachment; filename*=UTF-8''${encodeURIComponent(node.name)}`,
      });
    }),
    // https://learn.microsoft.com/en-us/graph/long-running-actions-overview (2026-11-27)
    open("GET api.onedrive.com /monitor/{id}", "api", (request, { id = "" }) => {
      const operation = kit.operations.find(id);
      if (operation === undefined) throw notFound();
      request.note({ account: operation.login });
      const percentageComplete = kit.operations.percentOf(operation);
      const { state } = operation;
      if (state.kind === "running")
        return jsonAnswer(202, { operation: "ItemCopy", percentageComplete, status: "inProgress" });
      if (state.kind === "done")
        return jsonAnswer(200, { percentageComplete, resourceId: state.result, status: "completed" });
      const body = state.error instanceof TreeRefused ? refuse(state.error.problem).body : undefined;
      const { error } = JSON.parse(typeof body === "string" ? body : '{"error":{"code":"generalException"}}');
      return jsonAnswer(200, { operation: "ItemCopy", percentageComplete, status: "failed", error });
    }),
  ];
}
