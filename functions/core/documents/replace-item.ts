import { randomUUID } from "node:crypto";
import { Conflict, LinkspanError } from "../errors.ts";
import type { HubContext } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";
import { joinPath, parentOf } from "./path.ts";
import { StillRunning, settled } from "./pending.ts";
import { isGone, isSameItem, isUnclear, lookAt, lookFor } from "./unclear.ts";
import type { Target } from "./vendor.ts";

/**
 * Puts a copy in the place of an existing item: copies beside it first, so that the existing item is still there if the copy
 * fails; then removes it, and moves the copy. After a lost answer, looks where the items are, and goes on from there.
 * @param copyTo makes the copy at a free place
 */
export async function replaceItem(
  hub: HubContext,
  item: DocumentsItem,
  target: Target,
  copyTo: (target: Target) => Promise<DocumentsItem>,
): Promise<DocumentsItem> {
  const existing = target.existing ?? (await hub.paths.item({ path: target.path }));
  if (existing.directory !== item.directory) {
    throw new Conflict(
      `${target.path} is a ${existing.directory ? "folder" : "file"}; it is not replaced by another kind`,
    );
  }
  const name = `${randomUUID()}.copy`;
  const beside = { path: joinPath(parentOf(target.path), name), name, parent: target.parent };
  const copy = await copyBeside(hub, item, beside, copyTo).catch((error: unknown) => {
    throw error instanceof LinkspanError && error.code === "copy_incomplete"
      ? unchanged(target, error)
      : error;
  });
  await removeOld(hub, existing, copy);
  const placed = await takePlace(hub, existing, copy, target);
  await hub.kept?.forget(existing);
  return placed;
}

function unchanged({ path }: Target, { detail }: LinkspanError): LinkspanError {
  const message = `${path} is unchanged: not all items of the folder could be copied`;
  return new LinkspanError(502, "copy_incomplete", message, { detail: { ...detail, copied: 0 } });
}

/** @throws the copy failed; nothing is left of it, as far as one can see */
async function copyBeside(
  hub: HubContext,
  item: DocumentsItem,
  beside: Target,
  copyTo: (target: Target) => Promise<DocumentsItem>,
): Promise<DocumentsItem> {
  try {
    return await copyTo(beside);
  } catch (error) {
    const made = isUnclear(error) ? await lookFor(hub, beside.path) : await lookAt(hub, beside.path);
    if (made === undefined) throw error;
    // A file is copied whole or not at all. Of a folder, and of a copy that still runs, nobody can say whether all is there.
    const isWhole = !item.directory && made.size === item.size && !(error instanceof StillRunning);
    if (isUnclear(error) && isWhole) return made;
    await removed(hub, made, { forGood: true }).catch(() => {});
    throw error;
  }
}

async function removed(
  hub: HubContext,
  item: DocumentsItem,
  options: { readonly forGood: boolean },
): Promise<void> {
  const outcome = await hub.vendor.remove(hub.call, item, options);
  if (outcome !== undefined) await settled(hub, outcome);
}

/** @throws the old item is still there, and the copy is removed */
async function removeOld(hub: HubContext, old: DocumentsItem, copy: DocumentsItem): Promise<void> {
  try {
    await removed(hub, old, { forGood: false });
  } catch (error) {
    if (isUnclear(error) && (await isGone(hub, old))) return;
    await removed(hub, copy, { forGood: true }).catch(() => {});
    throw error;
  }
}

/** Tries the move twice: one vendor error should not undo the copy. */
async function takePlace(
  hub: HubContext,
  old: DocumentsItem,
  copy: DocumentsItem,
  { path, name, parent }: Target,
): Promise<DocumentsItem> {
  for (let tries = 1; ; tries++) {
    try {
      return { ...(await hub.vendor.move(hub.call, copy, { path, name, parent })), path };
    } catch (error) {
      const there = await lookAt(hub, path);
      if (there !== undefined && isSameItem(there, copy)) return there;
      if (tries === 1) continue;
      await takeBack(hub, old, copy);
      throw error;
    }
  }
}

/** Restores the old item first, and then deletes the copy, so that one of them always exists. Best effort. */
async function takeBack(hub: HubContext, old: DocumentsItem, copy: DocumentsItem): Promise<void> {
  try {
    if (hub.vendor.restore === undefined) return;
    await hub.vendor.restore(hub.call, old);
    await removed(hub, copy, { forGood: true });
  } catch {
    // The vendor refused to restore or to delete: both items stay unchanged.
  }
}
