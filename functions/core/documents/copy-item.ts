import { Conflict, InvalidRequest, LinkspanError } from "../errors.ts";
import { copyFolderItems } from "./copy-folder.ts";
import type { HubContext } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";
import { comparable, isWithin } from "./path.ts";
import { settled } from "./pending.ts";
import { replaceItem } from "./replace-item.ts";
import type { IdVendor, Pending, Target } from "./vendor.ts";

/**
 * Copies a file or folder to a path; missing parents are created.
 * @throws {Conflict} an item exists there and `overwrite` is false, or a folder would replace a file, or a file
 *   a folder
 */
export async function copyItem(
  hub: HubContext,
  item: DocumentsItem,
  path: string,
  overwrite: boolean,
): Promise<DocumentsItem> {
  // An item that is replaced by a copy of itself is lost.
  if (isOntoItself(hub, item, path) && overwrite) return item;
  const target = await hub.paths.target(path);
  if (target.existing !== undefined && !overwrite) throw alreadyThere(path);
  if (target.existing === undefined) {
    try {
      return await copyTo(hub, item, target);
    } catch (error) {
      if (
        !overwrite ||
        !(error instanceof LinkspanError) ||
        error.status !== 409 ||
        error.code !== "conflict"
      )
        throw error;
    }
  }
  return await replaceItem(hub, item, target, (place) => copyTo(hub, item, place));
}

/**
 * Whether an item would be copied onto itself. An item without a path is outside of the user's folders.
 * @throws {InvalidRequest} one of the two places is inside of the other
 */
function isOntoItself({ vendor }: HubContext, item: DocumentsItem, path: string): boolean {
  if (item.path === undefined) return false;
  const [from, to] = [comparable(vendor, item.path), comparable(vendor, path)];
  if (from === to) return true;
  if (item.directory && isWithin(to, from))
    throw new InvalidRequest("a folder cannot be copied into itself", "path");
  if (isWithin(from, to)) throw new InvalidRequest("path is a folder that contains the item to copy", "path");
  return false;
}

async function copyTo(hub: HubContext, item: DocumentsItem, target: Target): Promise<DocumentsItem> {
  const { vendor, call } = hub;
  if (!item.directory) return await copied(hub, await vendor.copyFile(call, item, target), target);
  if (vendor.copyFolder !== undefined)
    return await copied(hub, await vendor.copyFolder(call, item, target), target);
  return await copyFolderItems(hub, vendor as IdVendor, item, target, {
    file: async (file, below) => await copied(hub, await vendor.copyFile(call, file, below), below),
    folder: async (below) => withTargetPath(await vendor.createFolder(call, below, {}), below),
  });
}

/** The copy, when the vendor has made it. */
async function copied(
  hub: HubContext,
  outcome: DocumentsItem | Pending,
  target: Target,
): Promise<DocumentsItem> {
  const done = await settled(hub, outcome, target.path);
  if ("raw" in done) return withTargetPath(done, target);
  const made =
    done.reference === undefined
      ? await hub.paths.item({ path: target.path })
      : await hub.vendor.get(hub.call, done.reference);
  return withTargetPath(made, target);
}

export function alreadyThere(path: string): Conflict {
  return new Conflict(`something is at ${path} already; overwrite=true replaces a file`);
}

/** Adds the target's path to an item that the vendor returned without a path. */
export function withTargetPath(item: DocumentsItem, target: Target): DocumentsItem {
  return item.path === undefined && target.path.startsWith("/") ? { ...item, path: target.path } : item;
}
