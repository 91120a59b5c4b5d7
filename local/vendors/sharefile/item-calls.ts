import * as v from "valibot";
import { type ApiCall, type Caller, call, integerText } from "../kit/calls.ts";
import type { Kit } from "../kit/start-vendor.ts";
import { notFound, refused } from "./errors.ts";
import * as items from "./items.ts";
import { type Account, type Found, find, type Node, newest, type Own } from "./items.ts";

// https://api.sharefile.com/html/docs/Items.html (2026-11-27)

/** Optional parameters that are true or false. */
export const flags = <const Name extends string>(...names: readonly Name[]) =>
  v.entriesFromList(names, v.optional(v.pipe(v.string(), v.toLowerCase(), v.picklist(["true", "false"]))));
/** Optional texts. */
export const texts = <const Name extends string>(...names: readonly Name[]) =>
  v.entriesFromList(names, v.optional(v.string()));
const SHAPE = { ...texts("$select"), $expand: v.optional(v.literal("Parent")) };
export const PAGING = {
  $top: v.optional(integerText(1, 10_000)),
  $skip: v.optional(integerText(0, 1_000_000)),
};
const REFERENCE = v.strictObject({ Id: v.string() });
const NO_CONTENT = { status: 204 };

interface Paging {
  readonly $top?: number | undefined;
  readonly $skip?: number | undefined;
}

export function page<Item>(all: readonly Item[], { $top = all.length, $skip = 0 }: Paging): Item[] {
  return all.slice($skip, $skip + $top);
}

function childrenOf(account: Account, id: string): Node[] {
  if (id === "allshared") return items.sharedFolders(account);
  // "uses FoldersFirst if no $orderby is specified"
  const key = ({ directory, name }: Node): string => `${directory ? 0 : 1}${name.toLowerCase()}`;
  return account.tree.children(folder(account, id).id).sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** @throws {Refused} 404 */
function byPath(account: Account, from: string, path: string): Found {
  const [first = "", ...rest] = path.split("/").filter((name) => name !== "");
  const start =
    from === "allshared"
      ? items.sharedFolders(account).find((node) => node.name.toLowerCase() === first.toLowerCase())
      : account.at(first, find(account, from).node);
  const node = start && account.at(rest.join("/"), start);
  if (node === undefined) throw notFound();
  return newest(node);
}

/** @throws {Refused} 400 */
export function folder(account: Account, id: string): Node {
  const { node } = find(account, id);
  if (!node.directory) throw refused(400, "The item is not a folder.", "InvalidTarget");
  return node;
}

/** A file of that name is replaced if the caller wants it; anything else is a conflict. */
function makeRoom(account: Account, parent: Node, name: string, mover: Node, overwrite: boolean): void {
  const taken = account.child(parent, name);
  if (taken === undefined || taken === mover) return;
  if (!overwrite || taken.directory || mover.directory)
    throw refused(409, "An item with this name already exists in the folder.");
  account.moveToTrash(taken);
}

/** The user may only read what others share. @throws {Refused} 403 */
function mayChange(account: Account, node: Node): void {
  if (!account.tree.isInside(node, account.root))
    throw refused(403, "You do not have permission for this operation.", "NotAuthorized");
}

const PATCH = v.strictObject({
  ...texts("Name", "FileName", "Description", "ExpirationDate", "ClientModifiedDate"),
  Parent: v.optional(REFERENCE),
  Zone: v.optional(REFERENCE),
});

function update(account: Account, node: Node, body: v.InferOutput<typeof PATCH>, overwrite: boolean): void {
  if (body.Description !== undefined) {
    node.detail.own.description = body.Description;
    account.touch(node);
  }
  const from = account.tree.parent(node);
  const parent = body.Parent === undefined ? from : folder(account, body.Parent.Id);
  // "If both Name and FileName are provided, FileName is disregarded."
  const name = body.Name ?? body.FileName ?? node.name;
  if (parent === undefined || from === undefined || (name === node.name && parent === from)) return;
  account.refuseIfSwitched(node, "move");
  mayChange(account, node);
  if (name !== node.name && parent !== from) {
    // As at ShareFile, the rename comes first, and replaces a file of that name in the old folder whatever `overwrite` says:
    // https://github.com/rclone/rclone/blob/master/backend/sharefile/sharefile.go (updateItem)
    makeRoom(account, from, name, node, true);
    account.move(node, { name });
  }
  makeRoom(account, parent, name, node, overwrite);
  account.move(node, { parent, name });
}

export function itemCalls(kit: Kit<Own>): ApiCall<Own>[] {
  const answer = ({ account }: Caller<Own>, found: Found, shape: items.Shape) =>
    items.itemAnswer(account, found, shape);
  const asked = ({ account, parameters }: Caller<Own>): Found => find(account, parameters.id ?? "");
  const operation = (id: string, State: string) => ({
    "odata.type": "ShareFile.Api.Models.AsyncOperation",
    Id: id,
    Operation: "Copy",
    State,
  });
  return [
    call("GET /sf/v3/Items", { query: v.strictObject(SHAPE) }, (caller, { query }) =>
      answer(caller, { node: caller.account.root }, query),
    ),
    call(
      "GET /sf/v3/Items({id})",
      { query: v.strictObject({ ...SHAPE, ...flags("includeDeleted") }) },
      (caller, { query }) =>
        caller.parameters.id === "allshared" ? items.allShared : answer(caller, asked(caller), query),
    ),
    call(
      "GET /sf/v3/Items({id})/ByPath",
      { query: v.strictObject({ ...SHAPE, path: v.pipe(v.string(), v.startsWith("/")) }) },
      (caller, { query }) =>
        answer(caller, byPath(caller.account, caller.parameters.id ?? "", query.path), query),
    ),
    call(
      "GET /sf/v3/Items({id})/Children",
      {
        query: v.strictObject({ ...SHAPE, ...PAGING, ...flags("includeDeleted"), ...texts("orderingMode") }),
      },
      (caller, { query }) => {
        const all = childrenOf(caller.account, caller.parameters.id ?? "");
        const isFull = kit.switches.state.pages === "full";
        const shown = page(all, isFull ? query : { ...query, $top: 2 });
        const next = (query.$skip ?? 0) + shown.length;
        return {
          ...items.feedAnswer(
            "Items",
            shown.map((node) => answer(caller, newest(node), query)),
          ),
          ...(isFull || next >= all.length ? {} : { "odata.nextLink": `?$skip=${next}` }),
        };
      },
    ),
    call(
      "GET /sf/v3/Items({id})/Stream",
      { query: v.strictObject({ ...SHAPE, ...PAGING, ...flags("includeDeleted") }) },
      (caller, { query }) => {
        // "The ID parameter must be a StreamID, otherwise an empty list is returned." $top is 20 if there is none.
        const { id = "" } = caller.parameters;
        const node = id.startsWith("st") ? caller.account.tree.get(id) : undefined;
        const versions = page(node?.revisions ?? [], { $top: 20, ...query });
        return items.feedAnswer(
          "Items",
          versions.map((version) => answer(caller, { node: node as Node, version }, query)),
        );
      },
    ),
    call(
      "POST /sf/v3/Items({id})/Folder",
      {
        query: v.strictObject({ ...SHAPE, ...flags("overwrite", "passthrough") }),
        body: v.strictObject({
          Name: v.string(),
          ...texts("FileName", "Description", "ExpirationDate"),
          Zone: v.optional(REFERENCE),
        }),
      },
      (caller, { query, body }) => {
        const { account, parameters } = caller;
        const parent = folder(account, parameters.id ?? "");
        const there = account.child(parent, body.Name);
        const isThere = there?.directory === true && query.overwrite === "true";
        const node = isThere ? there : account.addFolder(parent, body.Name);
        node.detail.own.description = body.Description ?? "";
        return answer(caller, { node }, query);
      },
    ),
    call(
      "PATCH /sf/v3/Items({id})",
      {
        query: v.strictObject({
          ...SHAPE,
          ...flags("overwrite", "forceSync", "scheduleAsync", "resolveFolderNameConflict", "notify"),
          ...texts("batchid", "batchSizeInBytes"),
        }),
        body: PATCH,
      },
      (caller, { query, body }) => {
        const { node } = asked(caller);
        update(caller.account, node, body, query.overwrite === "true");
        return answer(caller, newest(node), query);
      },
    ),
    call(
      "DELETE /sf/v3/Items({id})",
      { query: v.strictObject(flags("singleversion", "forceSync")) },
      (caller, { query }) => {
        if (query.singleversion === "true") throw refused(400, "This stand-in deletes all versions only.");
        const { node } = asked(caller);
        mayChange(caller.account, node);
        caller.account.moveToTrash(node);
        return NO_CONTENT;
      },
    ),
    call(
      "POST /sf/v3/Items({id})/BulkDelete",
      { query: v.strictObject(flags("forceSync", "deletePermanently")), body: v.array(v.string()) },
      ({ account, parameters }, { query, body }) => {
        const parent = folder(account, parameters.id ?? "");
        const nodes = body.map((id) => find(account, id).node);
        if (nodes.some((node) => node.parentId !== parent.id))
          throw refused(400, "All items must be children of the parent in the URI.");
        mayChange(account, parent);
        for (const node of nodes)
          query.deletePermanently === "true" ? account.remove(node) : account.moveToTrash(node);
        return NO_CONTENT;
      },
    ),
    call("POST /sf/v3/Items/BulkRestore", { body: v.array(v.string()) }, ({ account }, { body }) => {
      for (const id of body) {
        const [top] =
          [...account.trash].find(
            ([key, { nodes }]) => key === id || nodes[0]?.revisions.some((version) => version.id === id),
          ) ?? [];
        if (top === undefined || account.restore(top) === undefined) throw notFound();
      }
      return NO_CONTENT;
    }),
    call(
      "POST /sf/v3/Items({id})/Copy",
      { query: v.strictObject({ ...SHAPE, targetid: v.string(), ...flags("overwrite") }) },
      (caller, { query }) => {
        const { account } = caller;
        const { node } = asked(caller);
        const target = folder(account, query.targetid);
        const work = (): Node => {
          if (query.overwrite === "true") makeRoom(account, target, node.name, node, true);
          return account.copy(node, target);
        };
        // "If the target folder is in another zone, the operation will return an AsyncOperation record instead."
        if (kit.switches.state.operationMs === 0) return answer(caller, newest(work()), query);
        return operation(kit.operations.start(account.login, work).id, "Scheduled");
      },
    ),
    call("GET /sf/v3/AsyncOperations({id})", {}, ({ account, parameters }) => {
      const found = kit.operations.find(parameters.id ?? "");
      if (found?.login !== account.login) throw notFound();
      return operation(
        found.id,
        { running: "Scheduled", done: "Success", failed: "Failure" }[found.state.kind],
      );
    }),
    ...["GET /sf/v3/Items/Search", "GET /sf/v3/Items({id})/Search"].map((route) =>
      call<Own, typeof SEARCH>(route, { query: SEARCH }, ({ account, parameters }, { query }) => {
        const { query: text, maxResults, skip } = query;
        const from = query.homeFolderOnly === "true" ? "home" : parameters.id;
        const all = from === undefined ? account.tree.all() : account.tree.below(folder(account, from).id);
        const found = [...all].filter(
          (node) =>
            node !== account.root &&
            account.isSearchable(node) &&
            node.name.toLowerCase().includes(text.toLowerCase()),
        );
        return {
          "odata.type": "ShareFile.Api.Models.SearchResults",
          PartialResults: false,
          TimedOut: false,
          Results: page(found, { $top: maxResults, $skip: skip }).map((node) =>
            items.searchResult(account, node),
          ),
        };
      }),
    ),
  ];
}

const SEARCH = v.strictObject({
  query: v.pipe(v.string(), v.minLength(1)),
  maxResults: v.optional(integerText(1, 1000), "50"),
  skip: v.optional(integerText(0, 1_000_000), "0"),
  ...flags("homeFolderOnly"),
});
