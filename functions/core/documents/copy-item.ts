import { randomUUID } from "node:crypto";
import { Conflict, InvalidRequest, LinkspanError, Unavailable } from "../errors.ts";
import { present } from "../present.ts";
import type { HubContext } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";
import { comparable, isWithin, joinPath, parentOf } from "./path.ts";
import { settled } from "./pending.ts";
import type { IdVendor, Pending, Target } from "./vendor.ts";

/** Most items that one call copies one by one. */
const MAX_COPIED = 2_000;
/** Stops a folder copy and deletes the partial copy when less than this time of the invocation is left. */
const CLEANUP_MS = 15_000;

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
  return replace(hub, item, target);
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

/** Copies next to the existing item first, so that the existing item is still there if the copy fails. */
async function replace(hub: HubContext, item: DocumentsItem, target: Target): Promise<DocumentsItem> {
  const existing = target.existing ?? (await hub.paths.item({ path: target.path }));
  if (existing.directory !== item.directory) {
    throw new Conflict(
      `${target.path} is a ${existing.directory ? "folder" : "file"}; it is not replaced by another kind`,
    );
  }
  const name = `${randomUUID()}.copy`;
  const between = { path: joinPath(parentOf(target.path), name), name, parent: target.parent };
  const fresh = await copyTo(hub, item, between);
  try {
    await hub.vendor.remove(hub.call, existing, { forGood: false });
  } catch (error) {
    await hub.vendor.remove(hub.call, fresh, { forGood: true }).catch(() => {});
    throw error;
  }
  const renamed = { path: target.path, name: target.name, parent: target.parent };
  const move = () => hub.vendor.move(hub.call, fresh, renamed);
  try {
    // Tries the move twice: one vendor error should not undo the copy.
    return { ...(await move().catch(move)), path: target.path };
  } catch (error) {
    await takeBack(hub, existing, fresh);
    throw error;
  }
}

/** Restores the old item first, and then deletes the copy, so that one of them always exists. Best effort. */
async function takeBack(hub: HubContext, old: DocumentsItem, copied: DocumentsItem): Promise<void> {
  try {
    if (hub.vendor.restore === undefined) return;
    await hub.vendor.restore(hub.call, old);
    await hub.vendor.remove(hub.call, copied, { forGood: true });
  } catch {
    // The vendor refused to restore or to delete: both items stay unchanged.
  }
}

async function copyTo(hub: HubContext, item: DocumentsItem, target: Target): Promise<DocumentsItem> {
  const { vendor, call } = hub;
  if (!item.directory) return await copied(hub, await vendor.copyFile(call, item, target), target);
  if (vendor.copyFolder !== undefined)
    return await copied(hub, await vendor.copyFolder(call, item, target), target);
  return copyOneByOne(hub, vendor as IdVendor, item, target);
}

/** The copy, when the vendor has made it. */
async function copied(
  hub: HubContext,
  outcome: DocumentsItem | Pending,
  target: Target,
): Promise<DocumentsItem> {
  const done = await settled(hub, outcome);
  if ("raw" in done) return withTargetPath(done, target);
  const made =
    done.reference === undefined
      ? await hub.paths.item({ path: target.path })
      : await hub.vendor.get(hub.call, done.reference);
  return withTargetPath(made, target);
}

/** For vendors that can only copy files. If the copy fails, the partial copy is deleted. */
async function copyOneByOne(
  hub: HubContext,
  vendor: IdVendor,
  item: DocumentsItem,
  target: Target,
): Promise<DocumentsItem> {
  const { call } = hub;
  const copy = withTargetPath(await vendor.createFolder(call, target, {}), target);
  let count = 0;

  async function copyChildren(from: string, to: DocumentsItem): Promise<void> {
    let cursor: string | undefined;
    do {
      const page = await vendor.list(call, from, {
        limit: vendor.maxPageSize,
        ...present({ cursor }),
      });
      for (const child of page.items) {
        if (++count > MAX_COPIED) {
          throw new InvalidRequest(
            `this vendor copies file by file; a folder of more than ${MAX_COPIED} items is too large`,
          );
        }
        if (hub.remainingMs() < CLEANUP_MS)
          throw new Unavailable("the folder is too large to be copied in one call");
        const below: Target = {
          path: joinPath(to.path ?? "/", child.name),
          name: child.name,
          parent: to.reference,
        };
        // A shortcut is copied as one: the folder that it leads to may hold the folder that is copied.
        if (child.entry !== undefined && vendor.copyEntry !== undefined) {
          await vendor.copyEntry(call, child, below);
        } else if (child.directory) {
          await copyChildren(
            child.reference,
            withTargetPath(await vendor.createFolder(call, below, {}), below),
          );
        } else {
          await copied(hub, await vendor.copyFile(call, child, below), below);
        }
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  try {
    await copyChildren(item.reference, copy);
  } catch (error) {
    await vendor.remove(call, copy, { forGood: true }).catch(() => {});
    throw error;
  }
  return copy;
}

export function alreadyThere(path: string): Conflict {
  return new Conflict(`something is at ${path} already; overwrite=true replaces a file`);
}

/** Adds the target's path to an item that the vendor returned without a path. */
export function withTargetPath(item: DocumentsItem, target: Target): DocumentsItem {
  return item.path === undefined && target.path.startsWith("/") ? { ...item, path: target.path } : item;
}
