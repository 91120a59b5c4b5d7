import { mapConcurrently } from "../../../map-concurrently.ts";
import type { DocumentsItem } from "../../item.ts";
import { joinPath } from "../../path.ts";
import type { PageRequest, SearchRequest, VendorPage } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer } from "../../vendor-failure.ts";
import { type DriveFile, FOLDER, listFiles, listPage } from "./files.ts";
import { MAX_PAGES, SHARED_DRIVES, SHARED_WITH_ME, sharedDrives, shownName, within } from "./places.ts";
import { quoted } from "./query.ts";

// files.list searches an account, a drive or the children of named folders. Below a folder, the tree of folders is read first,
// level by level, and then the items in them: many folders in one query.

/** Folders that are named in one query, as in rclone (https://github.com/rclone/rclone/pull/2416). */
const FOLDERS_PER_QUERY = 50;

/** Most folders of a tree that are searched; a search that leaves some out says so. */
const MAX_FOLDERS = 1_000;

/** Queries for one level of folders that are sent at the same time. */
const AT_ONCE = 4;

/** One query of a search, and the paths that are known of the folders in which it looks. */
interface Scope {
  readonly corpora: Readonly<Record<string, string>>;
  /** In the language of `q`. Absent: everything in the corpora. */
  readonly condition?: string;
  readonly paths: Paths;
}

/** Paths by folder id. */
type Paths = ReadonlyMap<string, string | undefined>;

interface Plan {
  readonly scopes: readonly Scope[];
  readonly incomplete: boolean;
}

/** The plan of a folder is made once in a call, whose pages all name the same item. */
const plans = new WeakMap<DocumentsItem, Promise<Plan>>();

/** A cursor has the number of the scope, and Drive's token in its list. */
export async function search(
  call: VendorCall,
  { text, folder, allDrives }: SearchRequest,
  page: PageRequest,
): Promise<VendorPage> {
  const { scopes, incomplete } = await planOf(call, folder, allDrives ?? false);
  const [index, token] = page.cursor === undefined ? [0] : (JSON.parse(page.cursor) as [number, string?]);
  const scope = scopes[index];
  if (scope === undefined) return { items: [] };
  const contains = text === undefined ? [] : [containsText(text)];
  const q = [...contains, ...(scope.condition === undefined ? [] : [scope.condition]), "trashed = false"];
  const query = { q: q.join(" and "), ...scope.corpora };
  // "Sorting is not supported for queries with fullText terms."
  const found = await listPage(call, text === undefined ? { ...query, orderBy: "folder,name" } : query, {
    limit: page.limit,
    ...(token === undefined ? {} : { cursor: token }),
  });
  const next = found.cursor !== undefined ? [index, found.cursor] : index + 1 < scopes.length && [index + 1];
  return {
    items: found.items.map((item) => withKnownPath(item, scope.paths)),
    ...(next === false ? {} : { cursor: JSON.stringify(next) }),
    ...(incomplete || found.incomplete ? { incomplete: true } : {}),
  };
}

function containsText(text: string): string {
  return `(name contains ${quoted(text)} or fullText contains ${quoted(text)})`;
}

function withKnownPath(item: DocumentsItem, paths: Paths): DocumentsItem {
  const folder = paths.get(item.parentId ?? "");
  return folder === undefined ? item : { ...item, path: joinPath(folder, shownName(item.name)) };
}

function planOf(call: VendorCall, folder: DocumentsItem | undefined, allDrives: boolean): Promise<Plan> {
  if (folder === undefined) {
    // "user" is the default: https://developers.google.com/workspace/drive/api/reference/rest/v3/files/list
    const corpora = allDrives ? { corpora: "allDrives" } : {};
    return Promise.resolve({ scopes: [{ corpora, paths: new Map() }], incomplete: false });
  }
  const known = plans.get(folder);
  if (known !== undefined) return known;
  const plan = planBelow(call, folder);
  plans.set(folder, plan);
  return plan;
}

async function planBelow(call: VendorCall, folder: DocumentsItem): Promise<Plan> {
  if (folder.reference === SHARED_DRIVES) {
    const drives = await sharedDrives(call);
    return {
      scopes: drives.map((drive) => wholeDrive(drive, drive.path)),
      incomplete: false,
    };
  }
  const { driveId, ownedByMe } = folder.raw as DriveFile;
  if (folder.parentId === SHARED_DRIVES) {
    return { scopes: [wholeDrive(folder, folder.path)], incomplete: false };
  }
  const corpora = driveId == null ? {} : corporaOf(driveId);
  // A query with several folders has found nothing where other people share them: https://github.com/rclone/rclone/issues/3632
  const size = driveId != null || ownedByMe === true ? FOLDERS_PER_QUERY : 1;
  const { paths, incomplete } = await foldersBelow(call, folder, corpora, size);
  const scopes = groups([...paths.keys()], size).map((group) => ({
    corpora,
    condition: inAnyOf(group),
    paths,
  }));
  return { scopes, incomplete };
}

function corporaOf(driveId: string): Record<string, string> {
  return { corpora: "drive", driveId };
}

function wholeDrive({ reference }: DocumentsItem, path: string | undefined): Scope {
  return { corpora: corporaOf(reference), paths: new Map([[reference, path]]) };
}

/** The folder and all folders below it. */
async function foldersBelow(
  call: VendorCall,
  folder: DocumentsItem,
  corpora: Readonly<Record<string, string>>,
  size: number,
): Promise<{ paths: Map<string, string | undefined>; incomplete: boolean }> {
  // The names of what several people share are told apart by the hub.
  const start = folder.reference === SHARED_WITH_ME ? undefined : folder.path;
  const paths = new Map<string, string | undefined>([[folder.reference, start]]);
  let incomplete = false;
  let level = [folder.reference];
  while (level.length > 0 && !incomplete) {
    const read = await mapConcurrently(groups(level, size), AT_ONCE, (group) =>
      foldersIn(call, group, corpora),
    );
    level = [];
    for (const group of read) {
      if (group.status === "rejected") throw group.reason;
      for (const { id, name, parents } of group.value.folders) {
        if (id == null || paths.has(id)) continue;
        if (paths.size === MAX_FOLDERS) incomplete = true;
        if (incomplete) break;
        const parent = paths.get(parents?.[0] ?? "");
        paths.set(id, parent === undefined ? undefined : joinPath(parent, shownName(name ?? "")));
        level.push(id);
      }
      incomplete ||= group.value.incomplete;
    }
  }
  return { paths, incomplete };
}

async function foldersIn(
  call: VendorCall,
  parents: readonly string[],
  corpora: Readonly<Record<string, string>>,
): Promise<{ folders: DriveFile[]; incomplete: boolean }> {
  const query = {
    q: `mimeType = ${quoted(FOLDER)} and ${inAnyOf(parents)} and trashed = false`,
    pageSize: "1000",
    ...corpora,
  };
  const folders: DriveFile[] = [];
  let incomplete = false;
  let pageToken: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const more = pageToken === undefined ? query : { ...query, pageToken };
    const { files = [], nextPageToken, incompleteSearch } = await listFiles(call, more, "id,name,parents");
    folders.push(...files);
    incomplete ||= incompleteSearch === true;
    if (nextPageToken == null) return { folders, incomplete };
    pageToken = nextPageToken;
  }
  throw badAnswer("its list of folders has no end");
}

function inAnyOf(folders: readonly string[]): string {
  const conditions = folders.map(within);
  return conditions.length === 1 ? (conditions[0] as string) : `(${conditions.join(" or ")})`;
}

function groups<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
