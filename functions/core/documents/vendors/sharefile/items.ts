import { NotFound } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import { mediaTypeOf } from "../../media-types.ts";
import type { PageRequest, VendorPage } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer } from "../../vendor-failure.ts";

// ShareFile's Items: https://api.sharefile.com/html/docs/Items.html (2026-11-27), and the models of the official SDK,
// https://github.com/citrix/ShareFile-NET/tree/master/src/ShareFile.Api.Client/Models.

/** The parts of an Item that the hub uses; `File` and `Folder` are Items. */
export interface ShareFileItem {
  readonly "odata.type"?: string;
  readonly Id?: string;
  readonly Name?: string;
  readonly FileName?: string;
  readonly Description?: string | null;
  readonly CreationDate?: string | null;
  readonly ProgenyEditDate?: string | null;
  readonly ClientModifiedDate?: string | null;
  readonly FileSizeBytes?: number | null;
  readonly Hash?: string | null;
  readonly StreamID?: string | null;
  readonly Parent?: { readonly Id?: string } | null;
}

export interface Feed<Item> {
  readonly value?: readonly Item[];
  readonly "odata.nextLink"?: string;
}

/**
 * The special ids of the user's home folder and of the parent of all folders that others share:
 * https://api.sharefile.com/html/docs/Items.html, "Get Item by ID".
 */
export const HOME = "home";
export const ALL_SHARED = "allshared";

const SELECT =
  "Id,Name,FileName,Description,CreationDate,ProgenyEditDate,ClientModifiedDate,FileSizeBytes,Hash,StreamID,odata.type,Parent/Id";

/** Most pages that are read to the end of one list. */
const MAX_PAGES = 50;
const PAGE_SIZE = 500;

/** The properties of an item that the hub reads, as the query of any call that answers items. */
export const asItem = { $expand: "Parent", $select: SELECT };

/** The URL of an item, or of one of its actions: `/sf/v3/Items(id)/Children`. */
export function itemUrl(
  id: string,
  action = "",
  query: Readonly<Record<string, string | number | boolean>> = {},
): string {
  const place = `/sf/v3/Items(${encodeURIComponent(id)})${action === "" ? "" : `/${action}`}`;
  return withQuery(place, query);
}

export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | boolean>> = {},
): string {
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join("&")}`;
}

function isFolder({ "odata.type": type }: ShareFileItem): boolean {
  return type === "ShareFile.Api.Models.Folder";
}

/** Links, notes and connectors to other storage are neither: they have no bytes, and no children at ShareFile. */
export function isFileOrFolder(item: ShareFileItem): boolean {
  return item["odata.type"] === "ShareFile.Api.Models.File" || isFolder(item);
}

/**
 * An item as the hub has it. Each version of a file is an item with an id of its own
 * (https://api.sharefile.com/gettingstarted/faq), so only the stream's id stays when the content changes.
 */
export function toItem(item: ShareFileItem): DocumentsItem {
  const id = item.Id ?? "";
  if (id === "") throw badAnswer("an item has no Id");
  const directory = isFolder(item);
  const name = item.Name || (item.FileName ?? "");
  const changed = directory ? item.ProgenyEditDate : item.ClientModifiedDate;
  return {
    id,
    reference: id,
    refId: (directory ? undefined : item.StreamID) || id,
    name,
    directory,
    ...present({
      size: directory ? undefined : (item.FileSizeBytes ?? undefined),
      createdDate: item.CreationDate ?? undefined,
      modifiedDate: changed ?? item.CreationDate ?? undefined,
      parentId: parentOf(item),
      mimeType: directory ? undefined : mediaTypeOf(name),
      hash: item.Hash || undefined,
      description: item.Description || undefined,
    }),
    raw: item,
  };
}

/** A folder that others share lies in the account itself, which is no folder, and shows among the shared ones. */
function parentOf(item: ShareFileItem): string | undefined {
  const parent = item.Parent?.Id;
  return parent !== undefined && isFolder(item) && !parent.startsWith("fo") ? ALL_SHARED : parent;
}

/** A special folder has no parent of the user's. */
export function topFolder(item: ShareFileItem): DocumentsItem {
  const { parentId: _, ...top } = toItem(item);
  return { ...top, directory: true };
}

export async function readItem(call: VendorCall, id: string): Promise<ShareFileItem> {
  const item = await call.json<ShareFileItem>({ method: "GET", url: itemUrl(id, "", asItem) });
  return item;
}

const homes = new WeakMap<VendorCall, Promise<DocumentsItem>>();

/** The user's home folder: read once in a call of the hub. */
export function homeOf(call: VendorCall): Promise<DocumentsItem> {
  const known = homes.get(call) ?? readItem(call, HOME).then(topFolder);
  homes.set(call, known);
  return known;
}

/** A folder's own id, where the calls that change something do not take a special one. */
export async function ownId(call: VendorCall, folder: string): Promise<string> {
  return folder === HOME ? (await homeOf(call)).reference : folder;
}

/** The item at a path below a folder: https://api.sharefile.com/html/docs/Items.html, "Get Item by relative Path from ID". */
export async function atPath(call: VendorCall, folder: string, path: string): Promise<DocumentsItem> {
  const found = await call.json<ShareFileItem>({
    method: "GET",
    url: itemUrl(folder, "ByPath", { path, ...asItem }),
  });
  if (!isFileOrFolder(found)) throw new NotFound(`there is nothing at ${path}`);
  return toItem(found);
}

/**
 * A part of a list: $top and $skip, as the cursor.
 * @param url makes the URL of a part
 */
async function feedPage<Item>(
  call: VendorCall,
  url: (paging: { $top: number; $skip: number }) => string,
  { limit, cursor = "0" }: PageRequest,
): Promise<{ readonly items: readonly Item[]; readonly cursor?: string }> {
  const skip = Number(cursor);
  const feed = await call.json<Feed<Item>>({ method: "GET", url: url({ $top: limit, $skip: skip }) });
  const items = feed.value;
  if (!Array.isArray(items)) throw badAnswer("a list has no value");
  // A part that is shorter than asked for, and has no link to the next one, is the last.
  const isLast = items.length === 0 || (items.length < limit && feed["odata.nextLink"] === undefined);
  return { items, ...(isLast ? {} : { cursor: String(skip + items.length) }) };
}

export async function children(call: VendorCall, folder: string, page: PageRequest): Promise<VendorPage> {
  const part = await feedPage<ShareFileItem>(
    call,
    (paging) => itemUrl(folder, "Children", { includeDeleted: false, ...paging, ...asItem }),
    page,
  );
  const items = part.items.filter(isFileOrFolder).map(toItem);
  return { items, ...present({ cursor: part.cursor }) };
}

/** All items of a list. @throws {VendorError} it has no end */
export async function wholeFeed<Item>(
  call: VendorCall,
  url: (paging: { $top: number; $skip: number }) => string,
): Promise<Item[]> {
  const all: Item[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const part = await feedPage<Item>(call, url, { limit: PAGE_SIZE, ...present({ cursor }) });
    all.push(...part.items);
    if (part.cursor === undefined) return all;
    cursor = part.cursor;
  }
  throw badAnswer("a list has no end");
}
