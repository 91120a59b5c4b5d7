import { InvalidRequest, Unavailable } from "../errors.ts";
import { present } from "../present.ts";
import type { DocumentsItem } from "./item.ts";
import type { ItemTest } from "./item-filter.ts";
import type { PageRequest, VendorPage } from "./vendor.ts";
import { CursorExpired } from "./vendor-failure.ts";

/** Most items that one call reads: the rest of a filtered list comes with the next page. */
const MAX_SCANNED = 20_000;
/** Most items that a page number may skip. */
const MAX_SKIPPED = 100_000;
/** Most items that can be sorted. */
const MAX_SORTED = 20_000;
/** Smallest part that is requested from a vendor, so that a small page normally costs one call. */
const MIN_PART = 100;

/** How often a page is read again from its beginning, if the vendor gives up a cursor in the middle of it. */
const MAX_RESTARTS = 2;

/** Where a page begins: `skip` items after the start of the vendor's part at `cursor`. */
export interface Position {
  /** Absent: the first part. */
  readonly cursor?: string;
  readonly skip: number;
  /** Size of the parts. The first page sets it; later pages use the same size with the vendor's cursor. */
  readonly part: number;
}

export interface ListRequest {
  readonly pageSize: number;
  /** From 1; ignored if `from` is set. */
  readonly page: number;
  readonly from?: Position;
  readonly test?: ItemTest;
  /** False: there is no time for another part, so the page ends here. Absent: there always is. */
  readonly mayGoOn?: () => boolean;
  readonly sort?: (a: DocumentsItem, b: DocumentsItem) => number;
}

export interface ListPage {
  readonly items: readonly DocumentsItem[];
  /** Absent: this is the last page. */
  readonly next?: Position;
  /** Only known if the whole list was read, and the vendor left nothing out. */
  readonly total?: number;
  /** The vendor has left out items that belong to the list. */
  readonly incomplete?: boolean;
}

/**
 * Makes pages of exact size from a vendor's parts of any size. Reads one item ahead, so a next page always has
 * an item. Pages join without gap or overlap, because a position is an item's place in the vendor's own
 * sequence.
 * @param read reads one part of the vendor's list; the same cursor gives the same part
 */
export async function listPage(
  read: (page: PageRequest) => Promise<VendorPage>,
  request: ListRequest,
  maxPart: number,
): Promise<ListPage> {
  for (let restarts = 0; ; restarts++) {
    let hasRead = false;
    const noting = async (page: PageRequest): Promise<VendorPage> => {
      const part = await read(page);
      hasRead = true;
      return part;
    };
    try {
      return await readPage(noting, request, maxPart);
    } catch (error) {
      // The vendor gives up a cursor that this call itself has just got: the page is read again from where it begins. The caller's
      // own cursor is not replaced, because the caller has the pages before it.
      if (!(error instanceof CursorExpired) || !hasRead) throw error;
      if (restarts === MAX_RESTARTS) {
        throw new Unavailable(
          "the vendor ended the list again and again while it was read",
          undefined,
          5,
          error,
        );
      }
    }
  }
}

async function readPage(
  read: (page: PageRequest) => Promise<VendorPage>,
  request: ListRequest,
  maxPart: number,
): Promise<ListPage> {
  let isIncomplete = false;
  const watched = async (page: PageRequest): Promise<VendorPage> => {
    const part = await read(page);
    isIncomplete ||= part.incomplete === true;
    return part;
  };
  const { total, ...found } =
    request.sort === undefined
      ? await unsortedPage(watched, request, maxPart)
      : await sortedPage(watched, request, request.sort, maxPart);
  if (isIncomplete) return { ...found, incomplete: true };
  return { ...found, ...present({ total }) };
}

async function unsortedPage(
  read: (page: PageRequest) => Promise<VendorPage>,
  request: ListRequest,
  maxPart: number,
): Promise<ListPage> {
  const part = request.from?.part ?? Math.min(maxPart, Math.max(MIN_PART, request.pageSize + 1));
  let skipMatches = request.from === undefined ? (request.page - 1) * request.pageSize : 0;
  let { cursor, skip } = request.from ?? { cursor: undefined, skip: 0 };
  const items: DocumentsItem[] = [];
  let matches = 0;
  let scanned = 0;
  for (;;) {
    const { items: found, cursor: following } = await read(pageRequest(part, cursor));
    for (let index = skip; index < found.length; index++) {
      const item = found[index] as DocumentsItem;
      if (request.test !== undefined && !request.test(item)) continue;
      matches++;
      if (skipMatches > 0) {
        skipMatches--;
        continue;
      }
      if (items.length === request.pageSize) return { items, next: position(cursor, index, part) };
      items.push(item);
    }
    if (following === undefined) {
      return { items, ...(request.from === undefined ? { total: matches } : {}) };
    }
    if (following === cursor) return { items };
    // An empty part counts too, because a vendor may send cursors without end.
    scanned += Math.max(found.length, MIN_PART);
    const isEnough = scanned >= MAX_SCANNED || request.mayGoOn?.() === false;
    if (isEnough && skipMatches === 0) return { items, next: position(following, 0, part) };
    if (scanned >= MAX_SKIPPED) {
      throw new InvalidRequest(
        `page skips at most ${MAX_SKIPPED} items; continue with nextPage instead`,
        "page",
      );
    }
    skip = 0;
    cursor = following;
  }
}

/** Reads the whole list, sorts it and returns one page; positions are places in the sorted list. */
async function sortedPage(
  read: (page: PageRequest) => Promise<VendorPage>,
  request: ListRequest,
  sort: (a: DocumentsItem, b: DocumentsItem) => number,
  maxPart: number,
): Promise<ListPage> {
  const all: DocumentsItem[] = [];
  let cursor: string | undefined;
  let scanned = 0;
  do {
    const found = await read(pageRequest(maxPart, cursor));
    all.push(...found.items.filter((item) => request.test?.(item) ?? true));
    scanned += Math.max(found.items.length, MIN_PART);
    if (scanned > MAX_SORTED && found.cursor !== undefined) {
      throw new InvalidRequest(`orderBy sorts at most ${MAX_SORTED} items; this list is longer`, "orderBy");
    }
    cursor = found.cursor === cursor ? undefined : found.cursor;
  } while (cursor !== undefined);
  all.sort(sort);
  const start = request.from?.skip ?? (request.page - 1) * request.pageSize;
  const end = start + request.pageSize;
  return {
    items: all.slice(start, end),
    ...(end < all.length ? { next: { skip: end, part: maxPart } } : {}),
    total: all.length,
  };
}

function pageRequest(limit: number, cursor: string | undefined): PageRequest {
  return cursor === undefined ? { limit } : { limit, cursor };
}

function position(cursor: string | undefined, skip: number, part: number): Position {
  return cursor === undefined ? { skip, part } : { cursor, skip, part };
}
