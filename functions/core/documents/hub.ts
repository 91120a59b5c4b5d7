import { Conflict, InvalidRequest, NotSupported } from "../errors.ts";
import { present } from "../present.ts";
import { alreadyThere, copyItem, withTargetPath } from "./copy-item.ts";
import type { HubContext } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";
import {
  changeDetails,
  checkDetails,
  copyDetails,
  keepDetails,
  sameTags,
  vendorsPart,
  type Written,
  withItsDetails,
} from "./item-details.ts";
import { type StartedJob, startJob } from "./jobs.ts";
import { type Destination, moveItem } from "./move-item.ts";
import { checkName, comparable, isWithin, joinPath, nameOf, parentOf, parsePath } from "./path.ts";
import { settled } from "./pending.ts";
import type { Named } from "./resolve-path.ts";
import type {
  Details,
  DocumentsVendor,
  Download,
  DownloadOptions,
  ItemKind,
  Links,
  Revision,
  Storage,
  Target,
} from "./vendor.ts";
import { wrongKind } from "./vendor-failure.ts";

export interface UploadRequest {
  readonly path?: string;
  /** Used instead of the folder in `path`. */
  readonly folderId?: string;
  /** The file name in the upload form; used if no path names the file. */
  readonly fileName?: string;
  readonly overwrite: boolean;
  readonly bytes: Uint8Array;
  readonly mimeType: string;
  readonly details: Details;
}

export interface Changes extends Details {
  /** Moves the item; used instead of `name`. */
  readonly path?: string;
  readonly name?: string;
}

/** The vendor's optional method, or an error 501 with the call and the connector. */
export function supported<K extends keyof DocumentsVendor>(
  hub: Pick<HubContext, "vendor">,
  method: K,
  what: string,
): NonNullable<DocumentsVendor[K]> {
  const found = hub.vendor[method];
  if (found === undefined) throw new NotSupported(what, hub.vendor.connector);
  return found as NonNullable<DocumentsVendor[K]>;
}

export async function readMetadata(
  hub: HubContext,
  named: Named,
  options: { withoutPath?: boolean } = {},
): Promise<DocumentsItem> {
  return await withItsDetails(hub, await hub.paths.item(named, options));
}

export async function downloadFile(
  hub: HubContext,
  named: Named,
  options: DownloadOptions,
): Promise<Download> {
  return hub.vendor.download(hub.call, await hub.paths.locate(named), options);
}

/** @throws {Conflict} the file exists and `overwrite` is false, or a folder has that name */
export async function uploadFile(hub: HubContext, request: UploadRequest): Promise<Written> {
  checkDetails(request.details);
  const target = await uploadTarget(hub, request);
  const { existing } = target;
  if (existing?.directory) throw new Conflict(`${target.path} is a folder`);
  if (existing !== undefined && !request.overwrite) throw alreadyThere(target.path);
  const { bytes, mimeType, overwrite } = request;
  const details = vendorsPart(hub.vendor, request.details);
  const item = await hub.vendor.upload(hub.call, target, { bytes, mimeType, overwrite, details });
  return await keepDetails(hub, withTargetPath(item, target), request.details);
}

async function uploadTarget(hub: HubContext, request: UploadRequest): Promise<Target> {
  if (request.folderId !== undefined) {
    const name = request.path === undefined ? request.fileName : nameOf(parsePath(request.path));
    if (name === undefined || name === "") {
      throw new InvalidRequest("path is missing: its last part names the file", "path");
    }
    const folder = await hub.paths.item({ id: request.folderId, kind: "folder" });
    if (!folder.directory) throw wrongKind("file");
    return hub.paths.targetIn(folder, checkName(name, "path"));
  }
  if (request.path === undefined) throw new InvalidRequest("path is missing", "path");
  return hub.paths.target(notRoot(parsePath(request.path)));
}

/** @throws {Conflict} an item of that name exists */
export async function createFolder(hub: HubContext, path: string, details: Details): Promise<Written> {
  checkDetails(details);
  const target = await hub.paths.target(notRoot(parsePath(path)));
  if (target.existing !== undefined) throw new Conflict(`something is at ${target.path} already`);
  const item = await hub.vendor.createFolder(hub.call, target, vendorsPart(hub.vendor, details));
  return await keepDetails(hub, withTargetPath(item, target), details);
}

/**
 * Moves, renames or describes an item. Skips values that do not change, so a client may send the whole object
 * again.
 */
export async function changeItem(hub: HubContext, named: Named, changes: Changes): Promise<DocumentsItem> {
  const item = await withItsDetails(hub, await hub.paths.item(named));
  const wanted = wantedDetails(item, changes);
  checkDetails(wanted);
  const target = wantedTarget(hub, item, changes);
  const moved = target === undefined ? item : await moveItem(hub, item, target);
  // A move between two roots makes another item.
  const changed = moved === item ? item : await copyDetails(hub, item, await withItsDetails(hub, moved));
  return await changeDetails(hub, changed, wanted);
}

/** @returns undefined: the item stays where it is */
function wantedTarget(
  hub: HubContext,
  item: DocumentsItem,
  { path, name }: Changes,
): Destination | undefined {
  const { vendor } = hub;
  const newName = name === undefined || name === item.name ? undefined : checkName(name);
  // An item outside of the user's folders has no path: it can be renamed there, or moved to a path.
  if (item.path === undefined && path === undefined)
    return newName === undefined ? undefined : { name: newName };
  const current = item.path ?? "";
  let wanted = path === undefined ? current : parsePath(path);
  if (path === undefined && newName !== undefined) wanted = joinPath(parentOf(current), newName);
  // A client that sends a whole object back may have its parents' names in another case than the vendor shows now.
  const sameFolder = comparable(vendor, parentOf(wanted)) === comparable(vendor, parentOf(current));
  if (sameFolder && current !== "" && wanted !== "/") wanted = joinPath(parentOf(current), nameOf(wanted));
  if (wanted === current) return undefined;
  if (current === "/") throw new InvalidRequest("the root folder cannot be moved or renamed", "path");
  const isRenamed = comparable(vendor, wanted) === comparable(vendor, current);
  if (item.directory && current !== "" && !isRenamed && isInside(hub, wanted, current)) {
    throw new InvalidRequest("a folder cannot be moved into itself", "path");
  }
  return { path: notRoot(wanted) };
}

function isInside({ vendor }: HubContext, path: string, folder: string): boolean {
  return isWithin(comparable(vendor, path), comparable(vendor, folder));
}

/** The details that change. */
function wantedDetails(item: DocumentsItem, { description, tags }: Changes): Details {
  return present({
    description: description === (item.description ?? "") ? undefined : description,
    tags: tags !== undefined && sameTags(tags, item.tags ?? []) ? undefined : tags,
  });
}

export async function copy(
  hub: HubContext,
  named: Named,
  kind: ItemKind,
  request: { path: string; overwrite: boolean },
): Promise<DocumentsItem | StartedJob> {
  const path = notRoot(parsePath(request.path));
  const item = expectKind(await hub.paths.item(named), kind);
  if (item.path === "/") throw new InvalidRequest("the root folder cannot be copied", "path");
  try {
    return await copyDetails(hub, item, await copyItem(hub, item, path, request.overwrite));
  } catch (error) {
    return await startJob(hub, error, { did: "copy", item, path });
  }
}

/** Deletes a file, or a folder with its content. */
export async function removeItem(
  hub: HubContext,
  named: Named,
  kind: ItemKind,
  options: { forGood: boolean },
): Promise<StartedJob | undefined> {
  // Checks the kind for a path too, because `DELETE /files` must not delete a folder by mistake.
  const item = expectKind(await hub.paths.item(named), kind);
  if (item.path === "/") throw new InvalidRequest("the root folder cannot be deleted", "path");
  const outcome = await hub.vendor.remove(hub.call, item, options);
  try {
    if (outcome !== undefined) await settled(hub, outcome);
  } catch (error) {
    return await startJob(hub, error, { did: "delete", item });
  }
  await hub.kept?.forget(item);
  return undefined;
}

export async function readStorage(hub: HubContext): Promise<Storage> {
  return supported(hub, "storage", "GET /storage")(hub.call);
}

export async function readLinks(hub: HubContext, item: DocumentsItem): Promise<Links> {
  return supported(hub, "links", "links")(hub.call, item);
}

export async function removeLinks(hub: HubContext, named: Named): Promise<void> {
  const remove = supported(hub, "removeLinks", "deleting links");
  await remove(hub.call, await hub.paths.item(named, { withoutPath: true }));
}

export async function readRevisions(hub: HubContext, named: Named): Promise<readonly Revision[]> {
  const revisions = supported(hub, "revisions", "revisions");
  const item = expectKind(await hub.paths.item(named, { withoutPath: true }), "file");
  return revisions(hub.call, item);
}

function expectKind(item: DocumentsItem, kind: ItemKind): DocumentsItem {
  if (item.directory !== (kind === "folder")) throw wrongKind(item.directory ? "folder" : "file");
  return item;
}

function notRoot(path: string): string {
  if (path === "/") throw new InvalidRequest("path names the root folder; it needs a name", "path");
  return path;
}
