import { InvalidRequest } from "../errors.ts";
import { textFinder } from "../find-text.ts";
import { present } from "../present.ts";
import type { HubContext } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";
import { extensionOf } from "./item.ts";
import { withDetails } from "./item-details.ts";
import { compareBy, type ItemTest, parseOrderBy, time, timeInQuery, whereTest } from "./item-filter.ts";
import { foldCase } from "./like.ts";
import { type ListPage, listPage, type Position } from "./list-page.ts";
import { nameInPath } from "./names.ts";
import { isWithin, joinPath } from "./path.ts";
import type { Named } from "./resolve-path.ts";
import { teamDrives, teamDrivesPage } from "./team-drives.ts";
import type { PageRequest, VendorPage } from "./vendor.ts";
import { wrongKind } from "./vendor-failure.ts";
import { walkBelow } from "./walk.ts";

/** A list ends early, with a next page, when less than this time of the invocation is left. */
const RESERVE_MS = 8_000;

export interface ListOptions {
  readonly pageSize: number;
  readonly page: number;
  readonly from?: Position;
  readonly where?: string;
  readonly orderBy?: string;
  /** `calculateFolderPath=false`: leaves out paths that would cost extra calls. */
  readonly withoutPath?: boolean;
  /** `includeTeamDrives`: the root folder's list shows the drives of the user's teams, and a search looks in them, too. */
  readonly withTeamDrives?: boolean;
}

export interface SearchQuery {
  readonly path?: string;
  readonly text?: string;
  readonly mimeType?: string;
  readonly extensions: readonly string[];
  readonly tags: readonly string[];
  /** ISO 8601, for the date of the last change; both inclusive. */
  readonly startDate?: string;
  readonly endDate?: string;
}

/** The content of a folder, in the vendor's order unless `orderBy` is set. */
export async function folderContents(hub: HubContext, named: Named, options: ListOptions): Promise<ListPage> {
  const request = listRequest(hub, options, []);
  if (hub.vendor.addressing === "path") {
    const { reference } = await hub.paths.locate(named);
    const read = async (page: PageRequest): Promise<VendorPage> =>
      detailed(hub, await hub.vendor.list(hub.call, reference, page));
    return listPage(read, request, hub.vendor.maxPageSize);
  }
  // Reads the folder first: Drive lists a file like an empty folder, and the children's paths are built from the folder's path.
  const folder = await hub.paths.item(named, { withoutPath: options.withoutPath ?? false });
  if (!folder.directory) throw wrongKind("file");
  const { path } = folder;
  const { places = {} } = hub.vendor;
  const pathed = (item: DocumentsItem): DocumentsItem => {
    if (item.path !== undefined) return item;
    const name = nameInPath(hub.vendor, item);
    // A folder of the user's own with the name of a place: the path leads to the place.
    const isHidden = path === undefined || (path === "/" && Object.hasOwn(places, name));
    return isHidden ? item : { ...item, path: joinPath(path, name) };
  };
  const read = async (page: PageRequest): Promise<VendorPage> => {
    const part = await detailed(hub, await hub.vendor.list(hub.call, folder.reference, page));
    const isFirst = page.cursor === undefined && path === "/";
    const drives = isFirst && options.withTeamDrives ? await teamDrives(hub) : [];
    return { ...part, items: [...drives, ...part.items.map(pathed)] };
  };
  return listPage(read, request, hub.vendor.maxPageSize);
}

/** A part of a list with the details that Linkspan keeps. */
async function detailed(hub: HubContext, part: VendorPage): Promise<VendorPage> {
  return { ...part, items: await withDetails(hub, part.items) };
}

/** The drives of the user's teams. */
export async function teamDrivesList(hub: HubContext, options: ListOptions): Promise<ListPage> {
  return listPage(() => teamDrivesPage(hub), listRequest(hub, options, []), hub.vendor.maxPageSize);
}

/**
 * Finds files and folders. Without any parameter: everything. With the path of a folder: what is below it; with the path of
 * a file or of an empty folder: that item, whatever `text` is.
 */
export async function search(hub: HubContext, query: SearchQuery, options: ListOptions): Promise<ListPage> {
  const tests = searchTests(query);
  const below =
    query.path === undefined || query.path === "/" ? undefined : await hub.paths.item({ path: query.path });
  const own = listRequest(hub, options, [...tests]);
  const itself = (item: DocumentsItem) => listPage(async () => ({ items: [item] }), own, 1);
  if (below !== undefined && !below.directory) return itself(below);
  const { find, tests: more, needsPath } = await finder(hub, query, below, options.withTeamDrives);
  tests.push(...more);
  const findsPaths = needsPath || /\bpath\b/i.test(`${options.where} ${options.orderBy}`);
  const read = async (page: PageRequest): Promise<VendorPage> => {
    const part = await detailed(hub, await find(page));
    return findsPaths ? { ...part, items: await withPaths(hub, part.items) } : part;
  };
  const found = await listPage(read, listRequest(hub, options, tests), hub.vendor.maxPageSize);
  if (found.total === 0 && query.path !== undefined) {
    const asked = below ?? (await hub.paths.item({ path: "/" }));
    if (await isEmpty(hub, asked)) return itself(asked);
  }
  return options.withoutPath ? found : { ...found, items: await withPaths(hub, found.items) };
}

/** How a search finds its items, and what is left to be tested of each. */
interface Finder {
  readonly find: (page: PageRequest) => Promise<VendorPage>;
  readonly tests: readonly ItemTest[];
  readonly needsPath: boolean;
}

async function finder(
  hub: HubContext,
  { text }: SearchQuery,
  folder: DocumentsItem | undefined,
  allDrives: boolean | undefined,
): Promise<Finder> {
  const { vendor, call } = hub;
  if (vendor.search === undefined || (text === undefined && vendor.searchNeedsText)) {
    const find = walkBelow(hub, folder ?? (await hub.paths.item({ path: "/" })));
    if (text === undefined) return { find, tests: [], needsPath: false };
    const findText = textFinder(foldCase(text));
    return { find, tests: [({ name }) => findText(foldCase(name)) >= 0], needsPath: false };
  }
  const { search: findText } = vendor;
  const find = (page: PageRequest) => findText(call, present({ text, folder, allDrives }), page);
  const path = folder?.path;
  if (vendor.addressing === "path" || vendor.findsBelow || path === undefined)
    return { find, tests: [], needsPath: false };
  // Most vendors search everywhere: what is not below the folder is left out here.
  const isBelow: ItemTest = (item) => item.id !== folder?.id && isWithin(item.path ?? "", path);
  return { find, tests: [isBelow], needsPath: true };
}

async function isEmpty({ vendor, call }: HubContext, folder: DocumentsItem): Promise<boolean> {
  const { items, cursor } = await vendor.list(call, folder.reference, { limit: 1 });
  return items.length === 0 && cursor === undefined;
}

/** Adds paths, a few items at a time, because each may cost calls, and most items share their folders. */
async function withPaths(hub: HubContext, items: readonly DocumentsItem[]): Promise<DocumentsItem[]> {
  const done: DocumentsItem[] = [];
  for (let start = 0; start < items.length; start += 8) {
    done.push(...(await Promise.all(items.slice(start, start + 8).map((item) => hub.paths.withPath(item)))));
  }
  return done;
}

function listRequest(hub: Pick<HubContext, "remainingMs">, options: ListOptions, tests: readonly ItemTest[]) {
  const all = options.where === undefined ? tests : [...tests, whereTest(options.where)];
  return {
    pageSize: options.pageSize,
    page: options.page,
    mayGoOn: () => hub.remainingMs() > RESERVE_MS,
    ...present({ from: options.from }),
    ...(all.length === 0 ? {} : { test: (item: DocumentsItem) => all.every((test) => test(item)) }),
    ...(options.orderBy === undefined ? {} : { sort: compareBy(parseOrderBy(options.orderBy)) }),
  };
}

function searchTests(query: SearchQuery): ItemTest[] {
  const tests: ItemTest[] = [];
  const { mimeType, tags } = query;
  if (mimeType !== undefined) tests.push((item) => item.mimeType?.toLowerCase() === mimeType.toLowerCase());
  const extensions = query.extensions.map((each) => each.toLowerCase().replace(/^\./, ""));
  if (extensions.length > 0) {
    tests.push((item) => !item.directory && extensions.includes(extensionOf(item.name)));
  }
  if (tags.length > 0) tests.push((item) => tags.every((tag) => item.tags?.includes(tag)));
  const from = instant(query.startDate, "startDate", "00:00:00");
  const to = instant(query.endDate, "endDate", "23:59:59");
  if (from !== undefined) tests.push((item) => (time(item.modifiedDate) ?? Number.NEGATIVE_INFINITY) >= from);
  if (to !== undefined) tests.push((item) => (time(item.modifiedDate) ?? Number.POSITIVE_INFINITY) <= to);
  return tests;
}

/** @param timeOfDay added to a date without a time */
function instant(date: string | undefined, field: string, timeOfDay: string): number | undefined {
  if (date === undefined) return undefined;
  const at = timeInQuery(/^\d{4}-\d{2}-\d{2}$/.test(date) ? `${date}T${timeOfDay}Z` : date);
  if (at === undefined) throw new InvalidRequest(`${field} is not an ISO 8601 date`, field);
  return at;
}
