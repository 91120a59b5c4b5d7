import { LinkspanError, NotFound } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import { mediaTypeOf } from "../../media-types.ts";
import { plainId } from "../../plain-id.ts";
import type { IdVendor, Revision } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer, type Refusal, wrongKind } from "../../vendor-failure.ts";
import {
  ALL_SHARED,
  asItem,
  atPath,
  children,
  HOME,
  homeOf,
  isFileOrFolder,
  itemUrl,
  ownId,
  readItem,
  type ShareFileItem,
  toItem,
  topFolder,
  wholeFeed,
  withQuery,
} from "./items.ts";
import { childOf, copy, move, patch, poll, remove } from "./moves.ts";
import { names } from "./names.ts";
import { search } from "./search.ts";
import { links, removeLinks } from "./shares.ts";
import { taken, upload } from "./upload.ts";

/** What the hub does at ShareFile. `/` is the user's home folder; the folders that others share are in `/Shared Folders`. */
export const sharefile: IdVendor = {
  connector: "sharefile",
  addressing: "id",
  ignoresCase: true,
  names,
  // ShareFile has no tags.
  keeps: ["description"],
  searchNeedsText: true,
  rootReference: HOME,
  places: { "Shared Folders": ALL_SHARED },
  maxPageSize: 500,

  refusal,

  openId(id) {
    const decoded = plainId(id);
    if (decoded === "root") return HOME;
    if (!/^[\w-]{1,100}$/.test(decoded)) throw new NotFound("there is no such file or folder");
    return decoded;
  },

  root: homeOf,

  async get(call, reference) {
    if (reference === HOME) return await homeOf(call);
    if (reference === ALL_SHARED) return topFolder(await readItem(call, ALL_SHARED));
    if (isStream(reference)) return await newestOf(call, reference);
    const found = await readItem(call, reference);
    if (!isFileOrFolder(found)) throw new NotFound("there is no such file or folder");
    const item = toItem(found);
    // The home folder by its own id: its parent is the account, which is no folder of the user's.
    const home = item.directory ? await homeIfAny(call) : undefined;
    return home?.id === item.id ? home : item;
  },

  byPath: (call, path) => atPath(call, HOME, path),

  child: childOf,

  list: (call, folder, page) => children(call, folder, page),

  async download(call, file, { range }) {
    const item = file.item ?? (await sharefile.get(call, file.reference));
    if (item.directory) throw wrongKind("folder");
    // 302 to a URL that is its own credential.
    const response = await call.open({
      method: "GET",
      url: itemUrl(item.reference, "Download", { redirect: true, includeAllVersions: false }),
      headers: range === undefined ? [] : [["Range", range]],
    });
    return { response, name: item.name, mimeType: mediaTypeOf(item.name) };
  },

  async upload(call, target, content) {
    if (target.existing?.directory) throw taken();
    const parent = await ownId(call, target.parent);
    const made = await upload(call, parent, target, content);
    const item = await sharefile.get(call, made);
    return { ...item, parentId: item.parentId ?? parent };
  },

  async createFolder(call, target, { description }) {
    const parent = await ownId(call, target.parent);
    const made = await call.json<ShareFileItem>({
      method: "POST",
      url: itemUrl(parent, "Folder", { overwrite: false, passthrough: false, ...asItem }),
      json: { Name: target.name, ...present({ Description: description }) },
    });
    return { ...toItem(made), parentId: parent };
  },

  move,
  copyFile: copy,
  copyFolder: copy,
  poll,

  async remove(call, item, { forGood }) {
    const { parentId: parent } = item;
    if (!forGood || parent === undefined) await remove(call, item.reference);
    else
      await call.expectOk({
        method: "POST",
        url: itemUrl(parent, "BulkDelete", { forceSync: true, deletePermanently: true }),
        body: JSON.stringify([item.reference]),
        headers: [["Content-Type", "application/json"]],
      });
    return undefined;
  },

  async restore(call, item) {
    await call.expectOk({
      method: "POST",
      url: "/sf/v3/Items/BulkRestore",
      body: JSON.stringify([item.reference]),
      headers: [["Content-Type", "application/json"]],
    });
  },

  async describe(call, item, { description }) {
    if (description === undefined) return item;
    return {
      ...(await patch(call, item.reference, { Description: description })),
      ...present({ parentId: item.parentId }),
    };
  },

  search,
  links,
  removeLinks,

  async revisions(call, item) {
    const versions = await versionsOf(call, item.refId ?? item.id);
    return versions.map(
      (version): Revision => ({
        id: version.Id ?? "",
        ...present({
          size: version.FileSizeBytes ?? undefined,
          modifiedDate: version.ClientModifiedDate ?? version.CreationDate ?? undefined,
          hash: version.Hash || undefined,
        }),
        raw: version,
      }),
    );
  },

  async storage(call) {
    // The numbers are megabytes: https://api.sharefile.com/html/docs/ShareFile.Api.Models.Account.html (2026-11-27).
    const { DiskSpace } = await call.json<{ DiskSpace?: { Max?: number; Used?: number } }>({
      method: "GET",
      url: withQuery("/sf/v3/Accounts", { $expand: "DiskSpace" }),
    });
    if (DiskSpace?.Used === undefined) throw badAnswer("the account has no DiskSpace");
    const { Max = 0, Used } = DiskSpace;
    return { used: Used * MEGABYTE, shared: 0, ...(Max > 0 ? { total: Max * MEGABYTE } : {}) };
  },

  async account(call) {
    const user = await call.json<{ Id?: string; FullName?: string; Email?: string }>({
      method: "GET",
      url: "/sf/v3/Users",
    });
    if (user.Id === undefined) throw badAnswer("the user has no Id");
    return { id: user.Id, ...present({ name: user.FullName, email: user.Email }), raw: user };
  },
};

const MEGABYTE = 1024 * 1024;

/** The `reason` of a refusal: ExceptionReason of the official SDK (2026-11-27). */
const REASONS: Readonly<Record<string, Refusal>> = {
  NotFound: "not_found",
  Conflict: "conflict",
  FileUploadConflict: "conflict",
  NotAuthorized: "forbidden",
  Forbidden: "forbidden",
  NotAllowed: "forbidden",
  FileIsLocked: "forbidden",
  DlpViolation: "forbidden",
  FilesRestrictedByAntiVirus: "forbidden",
  QuotaExceeded: "storage_full",
  InsufficientDiskSpace: "storage_full",
  Throttled: "rate_limited",
  BadRequest: "invalid",
};

function refusal(status: number, body: unknown): Refusal | undefined {
  const reason = (body as { reason?: unknown } | undefined)?.reason;
  if (typeof reason === "string" && Object.hasOwn(REASONS, reason)) return REASONS[reason];
  return status === 409 ? "conflict" : undefined;
}

/** Users of clients have no home folder: https://api.sharefile.com/html/docs/Items.html, "Get HomeFolder for Current User". */
async function homeIfAny(call: VendorCall): Promise<DocumentsItem | undefined> {
  try {
    return await homeOf(call);
  } catch (error) {
    if (error instanceof LinkspanError && (error.status === 404 || error.status === 403)) return undefined;
    throw error;
  }
}

/** The ids of streams, which are the same for all versions of a file, begin with `st`. */
function isStream(id: string): boolean {
  return id.startsWith("st");
}

/** The versions of a file, newest first. */
async function versionsOf(call: VendorCall, stream: string): Promise<ShareFileItem[]> {
  const versions = await wholeFeed<ShareFileItem>(call, (paging) =>
    itemUrl(stream, "Stream", { includeDeleted: false, ...paging, ...asItem }),
  );
  return versions.sort(
    (one, other) => Date.parse(other.CreationDate ?? "") - Date.parse(one.CreationDate ?? ""),
  );
}

async function newestOf(call: VendorCall, stream: string): Promise<DocumentsItem> {
  const [newest] = await versionsOf(call, stream);
  if (newest === undefined) throw new NotFound("there is no such file or folder");
  return toItem(newest);
}
