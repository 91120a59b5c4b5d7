import type { drive_v3 } from "@googleapis/drive";
import { LinkspanError } from "../../../errors.ts";
import { mapConcurrently } from "../../../map-concurrently.ts";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import type { Details, PageRequest, VendorPage } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { isGoogleFormat } from "./formats.ts";
import { SHARED_WITH_ME } from "./places.ts";
import { withQuery } from "./query.ts";

// Drive's files as items of the hub.

export const FILES = "https://www.googleapis.com/drive/v3/files";

export const FOLDER = "application/vnd.google-apps.folder";

export const SHORTCUT = "application/vnd.google-apps.shortcut";

export const FIELDS =
  "id,name,mimeType,size,createdTime,modifiedTime,parents,trashed,md5Checksum,description,appProperties,webViewLink,webContentLink,driveId,ownedByMe,shortcutDetails";

/**
 * Without these parameters, items of shared drives are not found:
 * https://developers.google.com/workspace/drive/api/guides/enable-shareddrives
 */
export const ALL_DRIVES = { supportsAllDrives: "true" };

const LIST_ALL_DRIVES = { ...ALL_DRIVES, includeItemsFromAllDrives: "true" };

/** Shortcuts of one page whose targets are read at the same time. */
const AT_ONCE = 8;

export type DriveFile = drive_v3.Schema$File;

export function readFile(call: VendorCall, id: string): Promise<DriveFile> {
  return call.json({ method: "GET", url: withQuery(`${FILES}/${id}`, { fields: FIELDS, ...ALL_DRIVES }) });
}

export function isFolder({ mimeType, shortcutDetails }: DriveFile): boolean {
  return mimeType === FOLDER || shortcutDetails?.targetMimeType === FOLDER;
}

/** https://developers.google.com/workspace/drive/api/guides/shortcuts: a shortcut never leads to another shortcut. */
export function toItem(file: DriveFile): DocumentsItem {
  const id = file.id ?? "";
  const { targetId, targetMimeType } = file.shortcutDetails ?? {};
  const directory = isFolder(file);
  const mimeType = targetMimeType ?? file.mimeType ?? undefined;
  return {
    id,
    reference: targetId ?? id,
    ...(targetId == null ? {} : { entry: id }),
    refId: id,
    name: file.name ?? "",
    directory,
    ...present({
      // Drive tells a size of Google's own documents, too; they have no bytes.
      size: file.size == null || isGoogleFormat(mimeType) ? undefined : Number(file.size),
      createdDate: file.createdTime ?? undefined,
      modifiedDate: file.modifiedTime ?? undefined,
      parentId: file.parents?.[0] ?? (file.ownedByMe === false ? SHARED_WITH_ME : undefined),
      mimeType: directory ? undefined : mimeType,
      hash: file.md5Checksum ?? undefined,
      description: file.description ?? undefined,
    }),
    tags: tagsOf(file),
    raw: file,
  };
}

/** A shortcut to a file shows the file's size and type. One that leads nowhere stays as it is; its download is 404. */
export async function withTarget(call: VendorCall, item: DocumentsItem): Promise<DocumentsItem> {
  if (item.entry === undefined || item.directory) return item;
  try {
    const { size, mimeType, hash, modifiedDate } = toItem(await readFile(call, item.reference));
    return { ...item, ...present({ size, mimeType, hash, modifiedDate }) };
  } catch (error) {
    if (error instanceof LinkspanError && (error.status === 404 || error.status === 403)) return item;
    throw error;
  }
}

/** What a call that moves, renames or deletes an item names. */
export function entryOf({ entry, reference }: DocumentsItem): string {
  return entry ?? reference;
}

/**
 * Drive has no tags: each tag is stored, in order, in a property that only this app can read (124 bytes for key
 * and value).
 */
function tagsOf(file: DriveFile): string[] {
  return Object.entries(file.appProperties ?? {})
    .filter(([key]) => /^tag\d+$/.test(key))
    .sort(([a], [b]) => Number(a.slice(3)) - Number(b.slice(3)))
    .map(([, value]) => value);
}

export function details(existing: DocumentsItem | undefined, { description, tags }: Details) {
  if (tags === undefined) return present({ description });
  // `null` deletes a property: the SDK's type does not say this, but the reference does.
  const appProperties: Record<string, string | null> = {};
  for (const index of (existing?.tags ?? []).keys()) appProperties[`tag${index}`] = null;
  for (const [index, tag] of tags.entries()) appProperties[`tag${index}`] = tag;
  return { ...present({ description }), appProperties };
}

export function listFiles(
  call: VendorCall,
  query: Readonly<Record<string, string>>,
  fieldsOfFiles = FIELDS,
): Promise<drive_v3.Schema$FileList> {
  const fields = `nextPageToken,incompleteSearch,files(${fieldsOfFiles})`;
  return call.json({ method: "GET", url: withQuery(FILES, { ...query, fields, ...LIST_ALL_DRIVES }) });
}

export async function listPage(
  call: VendorCall,
  query: Readonly<Record<string, string>>,
  page: PageRequest,
): Promise<VendorPage> {
  const {
    files = [],
    nextPageToken,
    incompleteSearch,
  } = await listFiles(call, {
    ...query,
    pageSize: String(page.limit),
    ...present({ pageToken: page.cursor }),
  });
  const read = await mapConcurrently(files.map(toItem), AT_ONCE, (item) => withTarget(call, item));
  const items = read.map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
  return {
    items,
    ...present({ cursor: nextPageToken ?? undefined }),
    ...(incompleteSearch ? { incomplete: true } : {}),
  };
}
