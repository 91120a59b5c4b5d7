import type { DriveItem } from "@microsoft/microsoft-graph-types";
import { NotFound } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import { mediaTypeOf } from "../../media-types.ts";
import { plainId } from "../../plain-id.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer } from "../../vendor-failure.ts";

// https://learn.microsoft.com/en-us/graph/api/resources/driveitem (2026-11-27)

/** The root folder of the instance's own drive. */
export const ROOT = "root";

export const SELECT =
  "id,name,size,createdDateTime,lastModifiedDateTime,webUrl,parentReference,file,folder,package,root,remoteItem,description";

export type Query = Readonly<Record<string, string | number>>;

/**
 * A reference is `root`, an item's id in the instance's own drive, or `drive.item`: no id has a period.
 * @param own URL path of the instance's own drive
 */
export function itemUrl(own: string, reference: string, action = "", query: Query = {}): string {
  return withQuery(`${placeOf(own, reference)}${action}`, query);
}

function placeOf(own: string, reference: string): string {
  if (reference === ROOT) return `${own}/root`;
  const { drive, id } = partsOf(reference);
  return `${drive === undefined ? own : `/v1.0/drives/${encodeURIComponent(drive)}`}/items/${encodeURIComponent(id)}`;
}

/** The URL of the item of that name in a folder; with an action: `/content`. */
export function childUrl(own: string, folder: string, name: string, action = "", query: Query = {}): string {
  const end = action === "" ? "" : `:${action}`;
  return withQuery(`${placeOf(own, folder)}:/${encodeURIComponent(name)}${end}`, query);
}

export function withQuery(path: string, query: Query): string {
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join("&")}`;
}

export function partsOf(reference: string): { readonly drive?: string; readonly id: string } {
  const dot = reference.indexOf(".");
  return dot < 0 ? { id: reference } : { drive: reference.slice(0, dot), id: reference.slice(dot + 1) };
}

function referenceOf(drive: string | undefined, id: string): string {
  return drive === undefined ? id : `${drive}.${id}`;
}

/** @throws {NotFound} no item can have this id */
export function openId(id: string): string {
  const decoded = plainId(id);
  if (!/^[\w!-]{1,200}(?:\.[\w!-]{1,200})?$/.test(decoded))
    throw new NotFound("there is no such file or folder");
  return decoded;
}

/**
 * @param drive the drive in whose name the item was asked for, if that is not the instance's own: only items of the own drive have
 *   a path, and bare ids
 */
export function toItem(raw: DriveItem, drive?: string): DocumentsItem {
  const { id, parentReference: parent, remoteItem: remote, file } = raw;
  if (id === undefined || id === "") throw badAnswer("an item has no id");
  const reference = referenceOf(drive, id);
  // A folder of another person that was added to this drive: its content lies in the other drive.
  const elsewhere =
    remote?.id && remote.parentReference?.driveId
      ? { reference: referenceOf(remote.parentReference.driveId, remote.id), entry: reference }
      : { reference };
  const isRoot = raw.root != null;
  const directory = [raw.folder, raw.package, raw.root, remote?.folder, remote?.package].some(
    (facet) => facet != null,
  );
  const parentId = isRoot || !parent?.id ? undefined : referenceOf(drive, parent.id);
  const name = isRoot ? "" : (raw.name ?? "");
  return {
    id: reference,
    ...elsewhere,
    refId: reference,
    name,
    directory,
    ...present({
      path: drive === undefined ? pathOf(raw, name) : undefined,
      size: directory ? undefined : (raw.size ?? remote?.size ?? undefined),
      createdDate: raw.createdDateTime,
      modifiedDate: raw.lastModifiedDateTime,
      parentId,
      mimeType: directory ? undefined : (file?.mimeType ?? mediaTypeOf(name)),
      // Personal drives have all of them; others only quickXorHash.
      hash: file?.hashes?.sha256Hash ?? file?.hashes?.sha1Hash ?? file?.hashes?.quickXorHash ?? undefined,
      description: raw.description || undefined,
    }),
    raw,
  };
}

/**
 * The path that the parent's path gives: `/drive/root:/a%20b`. It is percent-encoded; a blank or a letter that would have been
 * encoded shows that it is not.
 */
function pathOf({ root, parentReference }: DriveItem, name: string): string | undefined {
  if (root != null) return "/";
  const path = parentReference?.path ?? "";
  const at = path.indexOf("root:");
  if (at < 0) return undefined;
  const folder = path.slice(at + "root:".length).replace(/\/$/, "");
  return `${/^[\x21-\x7e]*$/.test(folder) ? plainId(folder) : folder}/${name}`;
}

/** @returns the item at a URL of the instance's own drive, or of another one */
export async function readItem(call: VendorCall, url: string, drive?: string): Promise<DocumentsItem> {
  return toItem(await call.json<DriveItem>({ method: "GET", url }), drive);
}

/** The drive that an item lies in. */
export function driveIdOf({ raw }: DocumentsItem): string {
  const drive = (raw as DriveItem).parentReference?.driveId;
  if (!drive) throw badAnswer("an item has no driveId");
  return drive;
}
