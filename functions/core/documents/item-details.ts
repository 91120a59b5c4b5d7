import { InvalidRequest, NotSupported } from "../errors.ts";
import { present } from "../present.ts";
import type { HubContext } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";
import { MAX_CHARACTERS } from "./kept-details.ts";
import type { Details, DocumentsVendor } from "./vendor.ts";

// Tags and descriptions of files and folders: the vendor keeps what it can, Linkspan keeps the rest.

export type DetailName = keyof Details;
const NAMES: readonly DetailName[] = ["description", "tags"];

/** An item after a write, and the details that were sent but could not be kept. */
export interface Written {
  readonly item: DocumentsItem;
  readonly notKept: readonly DetailName[];
}

type KeepingVendor = Pick<DocumentsVendor, "describe" | "keeps">;

function namesKeptBy(vendor: KeepingVendor): readonly DetailName[] {
  return vendor.keeps ?? (vendor.describe === undefined ? [] : NAMES);
}

/** The part of the details that goes to the vendor. */
export function vendorsPart(vendor: KeepingVendor, details: Details): Details {
  return part(details, namesKeptBy(vendor));
}

/** The part that the vendor does not keep. */
function ourPart(vendor: KeepingVendor, details: Details): Details {
  const kept = namesKeptBy(vendor);
  return part(
    details,
    NAMES.filter((name) => !kept.includes(name)),
  );
}

function part({ description, tags }: Details, names: readonly DetailName[]): Details {
  return present({
    description: names.includes("description") ? description : undefined,
    tags: names.includes("tags") ? tags : undefined,
  });
}

/** @throws {InvalidRequest} more than Linkspan keeps of one item */
export function checkDetails(details: Details): void {
  if (JSON.stringify(details).length <= MAX_CHARACTERS) return;
  const field = details.tags === undefined ? "description" : "tags";
  throw new InvalidRequest(`tags and description have more than ${MAX_CHARACTERS} characters`, field);
}

/** Adds what Linkspan keeps of items that the vendor has returned. */
export async function withDetails(
  { kept }: Pick<HubContext, "kept">,
  items: readonly DocumentsItem[],
): Promise<readonly DocumentsItem[]> {
  return kept === undefined ? items : await kept.shown(items);
}

export async function withItsDetails(
  hub: Pick<HubContext, "kept">,
  item: DocumentsItem,
): Promise<DocumentsItem> {
  const [shown = item] = await withDetails(hub, [item]);
  return shown;
}

/**
 * Keeps our part of the details of a file or folder that the vendor has just made. A failure does not undo the upload: the
 * answer names what was not kept.
 */
export async function keepDetails(hub: HubContext, item: DocumentsItem, details: Details): Promise<Written> {
  const ours = ourPart(hub.vendor, details);
  const names = NAMES.filter((name) => (ours[name]?.length ?? 0) > 0);
  if (names.length === 0) return { item: await withItsDetails(hub, item), notKept: [] };
  try {
    if (hub.kept === undefined) return { item, notKept: names };
    return { item: { ...item, ...(await hub.kept.keep(item, ours)) }, notKept: [] };
  } catch {
    return { item, notKept: names };
  }
}

/**
 * Changes the details of an item, if there are any to change: the vendor's part at the vendor, ours here.
 * @throws {NotSupported} there is nowhere to keep them
 */
export async function changeDetails(
  hub: HubContext,
  item: DocumentsItem,
  details: Details,
): Promise<DocumentsItem> {
  const { vendor, call, kept } = hub;
  const [theirs, ours] = [vendorsPart(vendor, details), ourPart(vendor, details)];
  const [ourName] = Object.keys(ours);
  if (ourName !== undefined && kept === undefined)
    throw new NotSupported(ourName === "tags" ? "tags" : "a description", vendor.connector);
  let changed = item;
  if (Object.keys(theirs).length > 0 && vendor.describe !== undefined) {
    const described = await vendor.describe(call, item, theirs);
    changed = {
      ...described,
      ...present({ path: item.path }),
      ...part(item, Object.keys(ourPart(vendor, item)) as DetailName[]),
    };
  }
  if (ourName === undefined || kept === undefined) return changed;
  return { ...changed, ...(await kept.keep(changed, ours)) };
}

/** Gives a copy the details of the original that the vendor has not copied. Best effort: the copy is made already. */
export async function copyDetails(
  hub: HubContext,
  from: DocumentsItem,
  to: DocumentsItem,
): Promise<DocumentsItem> {
  const { description = "", tags = [] } = await withItsDetails(hub, from);
  const missing = present({
    description: description === (to.description ?? "") ? undefined : description,
    tags: sameTags(tags, to.tags ?? []) ? undefined : tags,
  });
  if (from.id === to.id || Object.keys(missing).length === 0) return to;
  return await changeDetails(hub, to, missing).catch(() => to);
}

export const sameTags = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((tag, index) => tag === b[index]);
