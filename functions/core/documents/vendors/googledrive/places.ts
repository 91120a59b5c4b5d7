import { randomUUID } from "node:crypto";
import type { drive_v3 } from "@googleapis/drive";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import { joinPath } from "../../path.ts";
import { nameWithId } from "../../resolve-path.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer } from "../../vendor-failure.ts";
import { quoted, withQuery } from "./query.ts";

// The folders beside My Drive: shared drives, and what other people share.

const DRIVES = "https://www.googleapis.com/drive/v3/drives";

const DRIVE_FIELDS = "id,name,createdTime";

/** References of the folders beside My Drive. No id of Drive's looks like one. */
export const SHARED_DRIVES = "shared-drives";

export const SHARED_WITH_ME = "shared-with-me";

export const places = { "Shared drives": SHARED_DRIVES, "Shared with me": SHARED_WITH_ME };

/** Most pages that are read to find one name. */
export const MAX_PAGES = 50;

/** A slash would separate two names in a path. */
export function shownName(name: string): string {
  return name.replaceAll("/", "／");
}

export function isPlace(folder: string): boolean {
  return folder === SHARED_DRIVES || folder === SHARED_WITH_ME;
}

export function placeItem(name: string, reference: string): DocumentsItem {
  return { id: reference, reference, name, path: `/${name}`, directory: true, raw: {} };
}

/** The condition that an item lies in a folder. */
export function within(folder: string): string {
  return folder === SHARED_WITH_ME ? "sharedWithMe = true" : `${quoted(folder)} in parents`;
}

/** The lists of drives that calls in progress have read: paths need the names of all drives, often several times in one call. */
const listed = new WeakMap<VendorCall, Promise<DocumentsItem[]>>();

/** The user's shared drives, as folders; read once in each call. */
export function sharedDrives(call: VendorCall): Promise<DocumentsItem[]> {
  const known = listed.get(call);
  if (known !== undefined) return known;
  const drives = readDrives(call);
  listed.set(call, drives);
  return drives;
}

async function readDrives(call: VendorCall): Promise<DocumentsItem[]> {
  const found: drive_v3.Schema$Drive[] = [];
  let pageToken: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const query = {
      pageSize: "100",
      fields: `nextPageToken,drives(${DRIVE_FIELDS})`,
      ...present({ pageToken }),
    };
    const { drives = [], nextPageToken } = await call.json<drive_v3.Schema$DriveList>({
      method: "GET",
      url: withQuery(DRIVES, query),
    });
    found.push(...drives);
    if (nextPageToken == null) {
      const drives = toldApart(found.map((drive) => driveItem(drive)));
      return drives.map((drive) => ({
        ...drive,
        path: joinPath("/Shared drives", drive.pathName ?? drive.name),
      }));
    }
    pageToken = nextPageToken;
  }
  throw badAnswer("its list of shared drives has no end");
}

export function readDrive(call: VendorCall, id: string): Promise<drive_v3.Schema$Drive> {
  return call.json({ method: "GET", url: withQuery(`${DRIVES}/${id}`, { fields: DRIVE_FIELDS }) });
}

export function driveItem(drive: drive_v3.Schema$Drive, raw: object = drive): DocumentsItem {
  const { id, name, createdTime } = drive;
  const reference = id ?? "";
  return {
    id: reference,
    reference,
    refId: reference,
    name: name ?? "",
    directory: true,
    ...present({ createdDate: createdTime ?? undefined }),
    parentId: SHARED_DRIVES,
    raw,
  };
}

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/drives/create: `requestId` makes a repeated call safe. */
export async function createTeamDrive(call: VendorCall, name: string): Promise<DocumentsItem> {
  const url = withQuery(DRIVES, { requestId: randomUUID(), fields: DRIVE_FIELDS });
  return await withDrivePath(
    call,
    await call.json<drive_v3.Schema$Drive>({ method: "POST", url, json: { name } }),
  );
}

export async function renameTeamDrive(
  call: VendorCall,
  drive: DocumentsItem,
  name: string,
): Promise<DocumentsItem> {
  const url = withQuery(`${DRIVES}/${drive.reference}`, { fields: DRIVE_FIELDS });
  return await withDrivePath(
    call,
    await call.json<drive_v3.Schema$Drive>({ method: "PATCH", url, json: { name } }),
  );
}

/** Google deletes a drive only if it has no item outside of its bin. */
export async function removeTeamDrive(call: VendorCall, drive: DocumentsItem): Promise<void> {
  await call.expectOk({ method: "DELETE", url: `${DRIVES}/${drive.reference}` });
}

/** The path depends on the names of the other drives. A drive that is not in the list yet has none. */
async function withDrivePath(call: VendorCall, drive: drive_v3.Schema$Drive): Promise<DocumentsItem> {
  listed.delete(call);
  return (await sharedDrives(call)).find(({ id }) => id === drive.id) ?? driveItem(drive);
}

/**
 * Gives paths to items of one name: the first one has its plain name, the others have their ids beside it.
 * @param isLaterPage an earlier page may have ended with the name of the first items here
 */
export function toldApart(items: readonly DocumentsItem[], isLaterPage = false): DocumentsItem[] {
  const seen = new Set(isLaterPage && items[0] !== undefined ? [items[0].name] : []);
  return items.map((item) => {
    const isFirst = !seen.has(item.name);
    seen.add(item.name);
    const name = shownName(item.name);
    return { ...item, pathName: isFirst ? name : nameWithId(name, item.id) };
  });
}
