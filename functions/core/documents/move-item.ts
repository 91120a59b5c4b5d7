import { InvalidRequest, VendorError } from "../errors.ts";
import { copyItem, withTargetPath } from "./copy-item.ts";
import type { HubContext } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";
import { checkNewName, nameFromPath } from "./names.ts";
import { nameOf, parentOf } from "./path.ts";
import type { Target } from "./vendor.ts";

/** Where an item goes: to a path, or to another name in the folder that it is in, if that folder has no path. */
export type Destination = { readonly path: string } | { readonly name: string };

/** Moves or renames an item; missing parents are created. */
export async function moveItem(
  hub: HubContext,
  item: DocumentsItem,
  to: Destination,
): Promise<DocumentsItem> {
  const { vendor, call } = hub;
  if ("name" in to) {
    if (vendor.addressing === "path") {
      throw new InvalidRequest("this item lies outside of the user's folders: give the new path", "path");
    }
    checkNewName(vendor, to.name);
    return await vendor.move(call, item, { path: "", name: to.name, parent: parentReferenceOf(item) });
  }
  const target = await targetOf(hub, item, to.path);
  const { rootOf } = vendor;
  if (rootOf !== undefined && rootOf(item.reference) !== rootOf(target.parent))
    return await moveAcrossRoots(hub, item, to.path);
  return withTargetPath(await vendor.move(call, item, target), target);
}

async function targetOf(hub: HubContext, item: DocumentsItem, path: string): Promise<Target> {
  // A folder that the item stays in need not be looked for.
  const stays = item.path !== undefined && parentOf(path) === parentOf(item.path);
  const name = nameFromPath(hub.vendor, item, nameOf(path));
  if (!stays) return { ...(await hub.paths.target(path)), name };
  if (name !== item.name) checkNewName(hub.vendor, name, "path");
  return { path, name, parent: hub.vendor.addressing === "path" ? parentOf(path) : parentReferenceOf(item) };
}

/** Copies, checks the copy, and removes the original only then: no vendor moves items between its drives. */
async function moveAcrossRoots(hub: HubContext, item: DocumentsItem, path: string): Promise<DocumentsItem> {
  const copied = await copyItem(hub, item, path, false);
  if (!item.directory && copied.size !== item.size) {
    throw new VendorError(
      502,
      "vendor_bad_answer",
      `the copy at ${path} has another size than the original, which stays where it is`,
    );
  }
  await hub.vendor.remove(hub.call, item, { forGood: false });
  return copied;
}

function parentReferenceOf({ parentReference, parentId }: DocumentsItem): string {
  return parentReference ?? parentId ?? "";
}
