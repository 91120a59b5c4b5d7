import type { Drive, DriveItem, DriveItemVersion, Permission, User } from "@microsoft/microsoft-graph-types";
import { LinkspanError, NotFound, VendorError } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import { numberedName } from "../../numbered-name.ts";
import { namesOf } from "../../path.ts";
import { TaskFailed } from "../../pending.ts";
import type { IdVendor, Links, PageRequest, Pending, Revision, Target, VendorPage } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer, type Refusal, wrongKind } from "../../vendor-failure.ts";
import {
  childUrl,
  driveIdOf,
  itemUrl,
  openId,
  partsOf,
  type Query,
  ROOT,
  readItem,
  SELECT,
  toItem,
  withQuery,
} from "./items.ts";
import { isImpossible, names } from "./names.ts";

/** The default size of pages: https://learn.microsoft.com/en-us/graph/api/driveitem-list-children (2026-11-27). */
const MAX_PAGE = 200;
/** Most pages that are read to the end of a list of versions or permissions. */
const MAX_PAGES = 50;
/** Names that a move tries if its target's name is taken. */
const MAX_NAMES = 20;
const ORIGIN = "https://graph.microsoft.com";

interface Collection<Item> {
  readonly value?: readonly Item[];
  readonly "@odata.nextLink"?: string;
}

export interface GraphDrive {
  readonly connector: string;
  /** URL path of the drive that `/` is the root folder of. */
  drive(call: VendorCall): Promise<string>;
}

/** A drive of Microsoft Graph: OneDrive, OneDrive for Business, or a library of a SharePoint site. */
export function graphVendor({ connector, drive: ownDrive }: GraphDrive): IdVendor {
  const url = async (call: VendorCall, reference: string, action = "", query: Query = {}): Promise<string> =>
    itemUrl(await ownDrive(call), reference, action, query);
  /** The root folder is read once in a call of the hub. */
  const roots = new WeakMap<VendorCall, Promise<DocumentsItem>>();
  const rootOfDrive = (call: VendorCall): Promise<DocumentsItem> => {
    const known =
      roots.get(call) ??
      url(call, ROOT, "", { $select: SELECT })
        .then((at) => readItem(call, at))
        .then((item) => ({ ...item, reference: ROOT }));
    roots.set(call, known);
    return known;
  };
  /** A folder's own id: "your app cannot use the "id:" "root" syntax" (driveitem-move). */
  const ownId = async (call: VendorCall, folder: string): Promise<string> =>
    folder === ROOT ? (await rootOfDrive(call)).id : partsOf(folder).id;

  async function part<Item extends DriveItem>(
    call: VendorCall,
    folder: string,
    action: string,
    { limit, cursor }: PageRequest,
  ): Promise<VendorPage> {
    const first = await url(call, folder, action, { $top: limit, $select: SELECT });
    const page = await call.json<Collection<Item>>({ method: "GET", url: cursor ?? first });
    const { drive } = partsOf(folder);
    return {
      items: valuesOf(page).map((item) => toItem(item, drive)),
      ...present({ cursor: nextOf(page) }),
    };
  }

  async function whole<Item>(call: VendorCall, first: string): Promise<Item[]> {
    const all: Item[] = [];
    let next: string | undefined = first;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page: Collection<Item> = await call.json<Collection<Item>>({ method: "GET", url: next });
      all.push(...valuesOf(page));
      next = nextOf(page);
      if (next === undefined) return all;
    }
    throw badAnswer("a list has no end");
  }

  /** https://learn.microsoft.com/en-us/graph/api/driveitem-copy (2026-11-27): accepted, and then done; the monitor's URL needs no token. */
  async function copy(call: VendorCall, item: DocumentsItem, { parent, name }: Target): Promise<Pending> {
    const { drive } = partsOf(parent);
    const driveId = drive ?? driveIdOf(isOwn(item) ? item : await rootOfDrive(call));
    const response = await call.open({
      method: "POST",
      url: await url(call, item.reference, "/copy"),
      headers: [["Content-Type", "application/json"]],
      body: JSON.stringify({ parentReference: { driveId, id: await ownId(call, parent) }, name }),
    });
    response.body.destroy();
    const monitor = response.headers.location;
    if (monitor === undefined) throw badAnswer("a copy has no Location");
    return { pending: JSON.stringify({ monitor, ...present({ drive }) } satisfies Copying) };
  }

  const vendor: IdVendor = {
    connector,
    addressing: "id",
    rootReference: ROOT,
    ignoresCase: true,
    findsConflicts: true,
    findsBelow: true,
    searchNeedsText: true,
    names,
    // Only drives of a person have descriptions (the resource driveItem), and such an app's users have other drives, too.
    keeps: [],
    maxPageSize: MAX_PAGE,
    refusal,
    openId,
    root: rootOfDrive,
    rootOf: (reference) => partsOf(reference).drive ?? "",

    get: async (call, reference) =>
      reference === ROOT
        ? await rootOfDrive(call)
        : await readItem(call, await url(call, reference, "", { $select: SELECT }), partsOf(reference).drive),

    async byPath(call, path) {
      const found = namesOf(path);
      if (found.some(isImpossible)) throw new NotFound(`there is nothing at ${path}`);
      const place = `${await ownDrive(call)}/root:/${found.map(encodeURIComponent).join("/")}`;
      return await readItem(call, withQuery(place, { $select: SELECT }));
    },

    async child(call, folder, name) {
      if (isImpossible(name)) return undefined;
      try {
        const at = childUrl(await ownDrive(call), folder, name, "", { $select: SELECT });
        return await readItem(call, at, partsOf(folder).drive);
      } catch (error) {
        if (error instanceof LinkspanError && error.status === 404) return undefined;
        throw error;
      }
    },

    list: (call, folder, page) => part(call, folder, "/children", page),

    async download(call, file, { range }) {
      const item = file.item ?? (await vendor.get(call, file.reference));
      if (item.directory) throw wrongKind("folder");
      // 302 to a URL that is its own credential.
      const response = await call.open({
        method: "GET",
        url: await url(call, item.reference, "/content"),
        headers: range === undefined ? [] : [["Range", range]],
      });
      return { response, name: item.name, mimeType: item.mimeType ?? "application/octet-stream" };
    },

    async upload(call, { parent, name }, { bytes, mimeType, overwrite }) {
      const behavior = overwrite ? "replace" : "fail";
      const made = await call.json<DriveItem>({
        method: "PUT",
        url: childUrl(await ownDrive(call), parent, name, "/content", {
          "@microsoft.graph.conflictBehavior": behavior,
        }),
        headers: [["Content-Type", mimeType]],
        body: bytes,
        timeoutMs: 60_000,
      });
      return toItem(made, partsOf(parent).drive);
    },

    async createFolder(call, { parent, name }) {
      const made = await call.json<DriveItem>({
        method: "POST",
        url: await url(call, parent, "/children"),
        json: { name, folder: {}, "@microsoft.graph.conflictBehavior": "fail" },
      });
      return toItem(made, partsOf(parent).drive);
    },

    async move(call, item, target) {
      const id = await ownId(call, target.parent);
      const stays = item.parentId !== undefined && partsOf(item.parentId).id === id;
      const reference = item.entry ?? item.reference;
      for (let count = 0; ; count++) {
        try {
          const name = numberedName(target.name, count, item.directory);
          const moved = await call.json<DriveItem>({
            method: "PATCH",
            url: await url(call, reference, "", { $select: SELECT }),
            json: { name, ...(stays ? {} : { parentReference: { id } }) },
          });
          return toItem(moved, partsOf(reference).drive);
        } catch (error) {
          // Graph refuses a taken name. The item goes beside the other one, as at Dropbox.
          if (!(error instanceof LinkspanError) || error.code !== "conflict" || count === MAX_NAMES)
            throw error;
        }
      }
    },

    copyFile: copy,
    copyFolder: copy,
    poll,

    async remove(call, item, { forGood }) {
      const reference = item.entry ?? item.reference;
      // https://learn.microsoft.com/en-us/graph/api/driveitem-permanentdelete is only for items named with their drive.
      if (forGood) {
        const { id } = partsOf(reference);
        const place = itemUrl("", `${driveIdOf(item)}.${id}`, "/permanentDelete");
        await call.expectOk({ method: "POST", url: place });
      } else await call.expectOk({ method: "DELETE", url: await url(call, reference) });
      return undefined;
    },

    // https://learn.microsoft.com/en-us/graph/api/driveitem-restore (2026-11-27): only in drives of a person.
    async restore(call, { entry, reference }) {
      await call.json({ method: "POST", url: await url(call, entry ?? reference, "/restore"), json: {} });
    },

    // https://learn.microsoft.com/en-us/graph/api/driveitem-search (2026-11-27)
    async search(call, { text = "", folder }, page) {
      const quoted = encodeURIComponent(text.replaceAll("'", "''"));
      const found = await part(call, folder?.reference ?? ROOT, `/search(q='${quoted}')`, page);
      return { ...found, items: found.items.filter(({ id }) => id !== folder?.id) };
    },

    async storage(call) {
      const place = withQuery(await ownDrive(call), { $select: "quota" });
      const { quota } = await call.json<Drive>({ method: "GET", url: place });
      if (quota?.used == null) throw badAnswer("the drive has no quota");
      return { ...(quota.total ? { total: quota.total } : {}), used: quota.used, shared: 0 };
    },

    async account(call) {
      const select = "id,displayName,mail,userPrincipalName";
      const user = await call.json<User>({ method: "GET", url: withQuery("/v1.0/me", { $select: select }) });
      if (!user.id) throw badAnswer("the user has no id");
      const email = user.mail ?? user.userPrincipalName ?? undefined;
      return { id: user.id, ...present({ name: user.displayName ?? undefined, email }), raw: user };
    },

    async links(call, item): Promise<Links> {
      const link = await createLink(call, await url(call, item.reference, "/createLink"));
      const view = link.link?.webUrl ?? (item.raw as DriveItem).webUrl ?? undefined;
      const direct = item.directory ? undefined : await downloadUrl(call, item);
      return { ...present({ providerViewLink: view, providerLink: direct }), raw: link };
    },

    async removeLinks(call, { reference }) {
      const all = await whole<Permission>(call, await url(call, reference, "/permissions"));
      for (const { id, link, inheritedFrom } of all) {
        if (!id || link == null || inheritedFrom != null) continue;
        await call.expectOk({
          method: "DELETE",
          url: await url(call, reference, `/permissions/${encodeURIComponent(id)}`),
        });
      }
    },

    // "Versions are returned in descending order": https://learn.microsoft.com/en-us/graph/api/driveitem-list-versions (2026-11-27).
    async revisions(call, { reference }) {
      const versions = await whole<DriveItemVersion>(call, await url(call, reference, "/versions"));
      return versions.map(
        (version): Revision => ({
          id: version.id ?? "",
          ...present({
            size: version.size ?? undefined,
            modifiedDate: version.lastModifiedDateTime ?? undefined,
          }),
          raw: version,
        }),
      );
    },
  };

  async function downloadUrl(call: VendorCall, item: DocumentsItem): Promise<string | undefined> {
    const select = "id,@microsoft.graph.downloadUrl";
    const found = await call.json<{ readonly "@microsoft.graph.downloadUrl"?: string }>({
      method: "GET",
      url: await url(call, item.reference, "", { $select: select }),
    });
    return found["@microsoft.graph.downloadUrl"];
  }

  return vendor;
}

function isOwn({ reference }: DocumentsItem): boolean {
  return partsOf(reference).drive === undefined;
}

function valuesOf<Item>({ value }: Collection<Item>): readonly Item[] {
  if (!Array.isArray(value)) throw badAnswer("a list has no value");
  return value;
}

/** The next link's path and query, which are used as they are: https://learn.microsoft.com/en-us/graph/paging (2026-11-27). */
function nextOf({ "@odata.nextLink": next }: Collection<unknown>): string | undefined {
  if (next === undefined) return undefined;
  if (!next.startsWith(`${ORIGIN}/`)) throw badAnswer("a list goes on at another host");
  return next.slice(ORIGIN.length);
}

interface Copying {
  readonly monitor: string;
  /** The target's drive, if it is not the instance's own. */
  readonly drive?: string;
}

/** https://learn.microsoft.com/en-us/graph/api/resources/asyncjobstatus (2026-11-27) */
interface JobStatus {
  readonly status?: string;
  readonly resourceId?: string;
  readonly error?: { readonly code?: string; readonly message?: string };
}

/** @throws {VendorError} the copy failed; {TaskFailed}, if no other code says why */
async function poll(call: VendorCall, task: Pending): Promise<{ reference?: string } | undefined> {
  const { monitor, drive } = JSON.parse(task.pending) as Copying;
  const { status, resourceId, error } = await call.json<JobStatus>({
    method: "GET",
    url: monitor,
    presigned: true,
  });
  if (status === "completed") {
    if (resourceId === undefined) throw badAnswer("a copy has no resourceId");
    return { reference: drive === undefined ? resourceId : `${drive}.${resourceId}` };
  }
  if (status !== "failed") return undefined;
  const said = { vendor: { status: 200, answer: { error } } };
  if (error?.code === "nameAlreadyExists")
    throw new VendorError(409, "conflict", "something of that name exists there already", said);
  throw new TaskFailed("Microsoft accepted the copy, and it failed", said.vendor);
}

/**
 * A link for everybody who has it; where the organization does not allow this, for its people. An existing link is returned again.
 * https://learn.microsoft.com/en-us/graph/api/driveitem-createlink (2026-11-27)
 */
async function createLink(call: VendorCall, url: string): Promise<Permission> {
  const create = (scope: string): Promise<Permission> =>
    call.json<Permission>({ method: "POST", url, json: { type: "view", scope } });
  try {
    return await create("anonymous");
  } catch (error) {
    if (error instanceof LinkspanError && error.status === 403) return await create("organization");
    throw error;
  }
}

/** https://learn.microsoft.com/en-us/graph/errors (2026-11-27) */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  itemNotFound: "not_found",
  nameAlreadyExists: "conflict",
  quotaLimitReached: "storage_full",
  activityLimitReached: "rate_limited",
  accessDenied: "forbidden",
  notAllowed: "forbidden",
  malwareDetected: "forbidden",
  invalidRequest: "invalid",
  resyncRequired: "cursor_expired",
};

function refusal(status: number, body: unknown): Refusal | undefined {
  const code = (body as { error?: { code?: unknown } } | undefined)?.error?.code;
  if (typeof code === "string" && Object.hasOwn(REFUSALS, code)) return REFUSALS[code];
  if (status === 507) return "storage_full";
  return status === 423 ? "forbidden" : undefined;
}
