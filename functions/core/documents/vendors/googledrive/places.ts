import type { drive_v3 } from "@googleapis/drive";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import { nameWithId } from "../../resolve-path.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer } from "../../vendor-failure.ts";
import { quoted, withQuery } from "./query.ts";

// The folders beside My Drive: shared drives, and what other people share.

const DRIVES = "https://www.googleapis.com/drive/v3/drives";

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

/** The user's shared drives, as folders. */
export async function sharedDrives(call: VendorCall): Promise<DocumentsItem[]> {
  const found: drive_v3.Schema$Drive[] = [];
  let pageToken: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const query = { pageSize: "100", fields: "nextPageToken,drives(id,name)", ...present({ pageToken }) };
    const { drives = [], nextPageToken } = await call.json<drive_v3.Schema$DriveList>({
      method: "GET",
      url: withQuery(DRIVES, query),
    });
    found.push(...drives);
    if (nextPageToken == null) return toldApart(found.map((drive) => driveItem(drive)));
    pageToken = nextPageToken;
  }
  throw badAnswer("its list of shared drives has no end");
}

export function readDrive(call: VendorCall, id: string): Promise<drive_v3.Schema$Drive> {
  return call.json({ method: "GET", url: withQuery(`${DRIVES}/${id}`, { fields: "id,name" }) });
}

export function driveItem({ id, name }: drive_v3.Schema$Drive, raw: object = {}): DocumentsItem {
  const reference = id ?? "";
  return {
    id: reference,
    reference,
    refId: reference,
    name: name ?? "",
    directory: true,
    parentId: SHARED_DRIVES,
    raw,
  };
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
