import { randomUUID } from "node:crypto";
import type { drive_v3 } from "@googleapis/drive";
import { Conflict, LinkspanError, NotFound } from "../../errors.ts";
import { mapConcurrently } from "../../map-concurrently.ts";
import { present } from "../../present.ts";
import type { DocumentsItem } from "../item.ts";
import { mediaTypeOf, UNKNOWN_TYPE } from "../media-types.ts";
import { idInName, nameWithId } from "../resolve-path.ts";
import type { Content, Details, IdVendor, PageRequest, VendorPage } from "../vendor.ts";
import type { VendorCall } from "../vendor-call.ts";
import { badAnswer, wrongKind } from "../vendor-failure.ts";
import { chooseFormat, formatOf, isGoogleFormat } from "./google-formats.ts";

/* https://developers.google.com/workspace/drive/api/reference/rest/v3 */
const FILES = "https://www.googleapis.com/drive/v3/files";
const UPLOAD = "https://www.googleapis.com/upload/drive/v3/files";
const ABOUT = "https://www.googleapis.com/drive/v3/about";

const FOLDER = "application/vnd.google-apps.folder";
const SHORTCUT = "application/vnd.google-apps.shortcut";
const FIELDS =
  "id,name,mimeType,size,createdTime,modifiedTime,parents,trashed,md5Checksum,description,appProperties,webViewLink,webContentLink,driveId,ownedByMe,shortcutDetails";
const DRIVES = "https://www.googleapis.com/drive/v3/drives";

/** References of the folders beside My Drive. No id of Drive's looks like one. */
const SHARED_DRIVES = "shared-drives";
const SHARED_WITH_ME = "shared-with-me";
const places = { "Shared drives": SHARED_DRIVES, "Shared with me": SHARED_WITH_ME };

/** Shortcuts of one page whose targets are read at the same time. */
const AT_ONCE = 8;
/** Most pages that are read to find one name. */
const MAX_PAGES = 50;

/**
 * Without these parameters, items of shared drives are not found:
 * https://developers.google.com/workspace/drive/api/guides/enable-shareddrives
 */
const ALL_DRIVES = { supportsAllDrives: "true" };
const LIST_ALL_DRIVES = { ...ALL_DRIVES, includeItemsFromAllDrives: "true" };

export const googledrive: IdVendor = {
  connector: "googledrive",
  addressing: "id",
  rootReference: "root",
  places,
  maxPageSize: 1000,

  // https://developers.google.com/workspace/drive/api/guides/handle-errors
  refusal(status, body) {
    const error = (body as { error?: DriveError } | undefined)?.error;
    const { reason, location } = error?.errors?.[0] ?? {};
    if (reason !== undefined && /rateLimitExceeded|dailyLimitExceeded/i.test(reason)) return "rate_limited";
    if (reason === "storageQuotaExceeded") return "storage_full";
    if (status === 400 && location === "pageToken") return "cursor_expired";
    return undefined;
  },

  openId(id) {
    const plain = id.includes("%") ? decodeOnce(id) : id;
    if (!/^[\w-]{1,200}$/.test(plain)) throw new NotFound("there is no file or folder with this id");
    return plain;
  },

  async root(call) {
    return { ...(await getFile(call, "root")), path: "/" };
  },

  get: getFile,

  async child(call, folder, name, prefer) {
    const id = idInName(name);
    if (id !== undefined && isPlace(folder)) {
      const named = await getFile(call, id).catch(() => undefined);
      return named?.parentId === folder && nameWithId(named.name, id) === name ? named : undefined;
    }
    if (folder === SHARED_DRIVES) return (await sharedDrives(call)).find((drive) => drive.name === name);
    // Our paths write a slash in a Drive name as U+FF0F.
    const names = [...new Set([name, name.replaceAll("／", "/")])];
    const found = await findChild(call, folder, names, prefer);
    return found && (await withTarget(call, toItem(found)));
  },

  async list(call, folder, page) {
    if (folder === SHARED_DRIVES) return { items: await sharedDrives(call) };
    const query = { q: `${within(folder)} and trashed = false`, orderBy: "folder,name,modifiedTime desc" };
    const listed = await listPage(call, query, page);
    return isPlace(folder)
      ? { ...listed, items: toldApart(listed.items, page.cursor !== undefined) }
      : listed;
  },

  async download(call, file, { range, mediaType }) {
    const item = file.item ?? (await getFile(call, file.reference));
    if (item.directory) throw wrongKind("folder");
    const url = `${FILES}/${item.reference}`;
    if (isGoogleFormat(item.mimeType)) {
      const format =
        mediaType === undefined ? chooseFormat(await exportTypes(call, url)) : formatOf(mediaType);
      const response = await call.open({
        method: "GET",
        url: withQuery(`${url}/export`, { mimeType: format.mediaType }),
      });
      return { response, name: `${item.name}${format.extension}`, mimeType: format.mediaType };
    }
    const response = await call.open({
      method: "GET",
      url: withQuery(url, { alt: "media", ...ALL_DRIVES }),
      headers: range === undefined ? [] : [["Range", range]],
    });
    return { response, name: item.name, mimeType: item.mimeType ?? mediaTypeOf(item.name) };
  },

  async upload(call, target, content) {
    const query = { uploadType: "multipart", fields: FIELDS, ...ALL_DRIVES };
    const { existing } = target;
    const described = details(existing, content.details);
    // Its content would become that of the document: https://developers.google.com/workspace/drive/api/guides/manage-uploads
    if (existing !== undefined && isGoogleFormat(existing.mimeType))
      throw new Conflict(`${target.path} is a document of Google's; it is not replaced by bytes`);
    if (existing !== undefined) {
      return toItem(
        await sendMultipart(call, "PATCH", `${UPLOAD}/${existing.reference}`, query, described, content),
      );
    }
    // With one of Google's own types, Drive would convert the bytes.
    const mimeType = isGoogleFormat(content.mimeType) ? UNKNOWN_TYPE : content.mimeType;
    const metadata = { name: target.name, parents: [target.parent], mimeType, ...described };
    return toItem(await sendMultipart(call, "POST", UPLOAD, query, metadata, content));
  },

  async createFolder(call, target, wanted) {
    return toItem(
      await call.json<DriveFile>({
        method: "POST",
        url: withQuery(FILES, { fields: FIELDS, ...ALL_DRIVES }),
        json: {
          name: target.name,
          mimeType: FOLDER,
          parents: [target.parent],
          ...details(undefined, wanted),
        },
      }),
    );
  },

  async move(call, item, target) {
    const [parent] = (item.raw as DriveFile).parents ?? [];
    const parents =
      (item.parentId ?? "") === target.parent
        ? {}
        : { addParents: target.parent, ...present({ removeParents: parent }) };
    return update(call, item, { name: target.name }, parents);
  },

  async copyFile(call, item, target) {
    return toItem(
      await call.json<DriveFile>({
        method: "POST",
        url: withQuery(`${FILES}/${item.reference}/copy`, { fields: FIELDS, ...ALL_DRIVES }),
        json: { name: target.name, parents: [target.parent] },
      }),
    );
  },

  async copyEntry(call, item, target) {
    return toItem(
      await call.json<DriveFile>({
        method: "POST",
        url: withQuery(FILES, { fields: FIELDS, ...ALL_DRIVES }),
        json: {
          name: target.name,
          mimeType: SHORTCUT,
          parents: [target.parent],
          shortcutDetails: { targetId: item.reference },
        },
      }),
    );
  },

  async remove(call, item, { forGood }) {
    if (forGood) {
      return call.expectOk({ method: "DELETE", url: withQuery(`${FILES}/${entryOf(item)}`, ALL_DRIVES) });
    }
    await update(call, item, { trashed: true });
  },

  async restore(call, item) {
    await update(call, item, { trashed: false });
  },

  // files.list cannot search below a folder: the hub leaves out the items outside of it.
  search(call, { text }, page) {
    const q =
      text === undefined
        ? "trashed = false"
        : `(name contains ${quoted(text)} or fullText contains ${quoted(text)}) and trashed = false`;
    // "Sorting is not supported for queries with fullText terms."
    return listPage(call, text === undefined ? { q, orderBy: "folder,name" } : { q }, page);
  },

  async storage(call) {
    const { storageQuota } = await about(call, "storageQuota");
    const { limit, usage } = storageQuota ?? {};
    return {
      ...(limit === undefined || limit === null ? {} : { total: Number(limit) }),
      used: Number(usage ?? 0),
      shared: 0,
    };
  },

  async account(call) {
    const { user } = await about(call, "user(permissionId,displayName,emailAddress)");
    return {
      id: user?.permissionId ?? "",
      ...present({ name: user?.displayName ?? undefined, email: user?.emailAddress ?? undefined }),
      raw: user,
    };
  },

  describe: async (call, item, wanted) => update(call, item, details(item, wanted)),

  // The links work only for people with access; reading the links shares nothing.
  async links(_call, item) {
    const file = item.raw as DriveFile;
    return {
      ...present({
        providerViewLink: file.webViewLink ?? undefined,
        providerLink: file.webContentLink ?? undefined,
      }),
      raw: file,
    };
  },

  async revisions(call, item) {
    const url = withQuery(`${FILES}/${item.reference}/revisions`, {
      fields: "revisions(id,modifiedTime,size,md5Checksum,mimeType)",
      pageSize: "1000",
    });
    const { revisions = [] } = await call.json<drive_v3.Schema$RevisionList>({ method: "GET", url });
    // revisions.list returns the oldest first.
    return revisions.toReversed().map((revision) => ({
      id: revision.id ?? "",
      ...present({
        size: revision.size == null ? undefined : Number(revision.size),
        modifiedDate: revision.modifiedTime ?? undefined,
        hash: revision.md5Checksum ?? undefined,
      }),
      raw: revision,
    }));
  },
};

type DriveFile = drive_v3.Schema$File;

interface DriveError {
  readonly errors?: readonly { readonly reason?: string; readonly location?: string }[];
}

async function getFile(call: VendorCall, id: string): Promise<DocumentsItem> {
  const [place] = Object.entries(places).find(([, reference]) => reference === id) ?? [];
  if (place !== undefined) return placeItem(place, id);
  const file = await readFile(call, id);
  if (file.trashed) throw new NotFound("there is no such file or folder: it is in the bin");
  // The top folder of a shared drive is called "Drive", whatever the drive's name is.
  if (file.driveId != null && file.driveId === file.id) return driveItem(await readDrive(call, id), file);
  return await withTarget(call, toItem(file));
}

function readFile(call: VendorCall, id: string): Promise<DriveFile> {
  return call.json({ method: "GET", url: withQuery(`${FILES}/${id}`, { fields: FIELDS, ...ALL_DRIVES }) });
}

function isPlace(folder: string): boolean {
  return folder === SHARED_DRIVES || folder === SHARED_WITH_ME;
}

function placeItem(name: string, reference: string): DocumentsItem {
  return { id: reference, reference, name, path: `/${name}`, directory: true, raw: {} };
}

/** The condition that an item lies in a folder. */
function within(folder: string): string {
  return folder === SHARED_WITH_ME ? "sharedWithMe = true" : `${quoted(folder)} in parents`;
}

/**
 * The newest item with one of the names; a name that is exact comes first, and before that a folder if one is preferred. Pages may
 * hold fewer items than asked for, or none, before the last one.
 */
async function findChild(
  call: VendorCall,
  folder: string,
  names: readonly string[],
  prefer: "folder" | undefined,
): Promise<DriveFile | undefined> {
  const q = `(${names.map((each) => `name = ${quoted(each)}`).join(" or ")}) and ${within(folder)} and trashed = false`;
  const rank = (file: DriveFile): number =>
    (prefer === "folder" && !isFolder(file) ? 0 : 2) + (file.name === names[0] ? 1 : 0);
  let best: DriveFile | undefined;
  let pageToken: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const query = { q, orderBy: "modifiedTime desc", pageSize: "100", ...present({ pageToken }) };
    const { files = [], nextPageToken } = await listFiles(call, query);
    // `=` ignores case at Drive.
    for (const file of files.filter((each) => names.includes(each.name ?? ""))) {
      if (best === undefined || rank(file) > rank(best)) best = file;
    }
    if (nextPageToken == null || (best !== undefined && rank(best) === 3)) return best;
    pageToken = nextPageToken;
  }
  throw badAnswer("its list has no end");
}

function isFolder({ mimeType, shortcutDetails }: DriveFile): boolean {
  return mimeType === FOLDER || shortcutDetails?.targetMimeType === FOLDER;
}

/** The user's shared drives, as folders. */
async function sharedDrives(call: VendorCall): Promise<DocumentsItem[]> {
  const found: drive_v3.Schema$Drive[] = [];
  let pageToken: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const query = { pageSize: "100", fields: "nextPageToken,drives(id,name)", ...present({ pageToken }) };
    const { drives = [], nextPageToken } = await call.json<drive_v3.Schema$DriveList>({
      method: "GET",
      url: withQuery(DRIVES, query),
    });
    found.push(...drives);
    if (nextPageToken == null) return toldApart(found.map((drive) => driveItem(drive)));
    pageToken = nextPageToken;
  }
  throw badAnswer("its list of shared drives has no end");
}

function readDrive(call: VendorCall, id: string): Promise<drive_v3.Schema$Drive> {
  return call.json({ method: "GET", url: withQuery(`${DRIVES}/${id}`, { fields: "id,name" }) });
}

function driveItem({ id, name }: drive_v3.Schema$Drive, raw: object = {}): DocumentsItem {
  const reference = id ?? "";
  return {
    id: reference,
    reference,
    refId: reference,
    name: name ?? "",
    directory: true,
    parentId: SHARED_DRIVES,
    raw,
  };
}

/**
 * Gives paths to items of one name: the first one has its plain name, the others have their ids beside it.
 * @param isLaterPage an earlier page may have ended with the name of the first items here
 */
function toldApart(items: readonly DocumentsItem[], isLaterPage = false): DocumentsItem[] {
  const seen = new Set(isLaterPage && items[0] !== undefined ? [items[0].name] : []);
  return items.map((item) => {
    const isFirst = !seen.has(item.name);
    seen.add(item.name);
    const name = item.name.replaceAll("/", "／");
    return { ...item, pathName: isFirst ? name : nameWithId(name, item.id) };
  });
}

/** A shortcut to a file shows the file's size and type. One that leads nowhere stays as it is; its download is 404. */
async function withTarget(call: VendorCall, item: DocumentsItem): Promise<DocumentsItem> {
  if (item.entry === undefined || item.directory) return item;
  try {
    const { size, mimeType, hash, modifiedDate } = toItem(await readFile(call, item.reference));
    return { ...item, ...present({ size, mimeType, hash, modifiedDate }) };
  } catch (error) {
    if (error instanceof LinkspanError && (error.status === 404 || error.status === 403)) return item;
    throw error;
  }
}

/** What a call that moves, renames or deletes an item names. */
function entryOf({ entry, reference }: DocumentsItem): string {
  return entry ?? reference;
}

async function exportTypes(call: VendorCall, url: string): Promise<string[]> {
  const { exportLinks } = await call.json<DriveFile>({
    method: "GET",
    url: withQuery(url, { fields: "exportLinks", ...ALL_DRIVES }),
  });
  return Object.keys(exportLinks ?? {});
}

/** https://developers.google.com/workspace/drive/api/guides/shortcuts: a shortcut never leads to another shortcut. */
function toItem(file: DriveFile): DocumentsItem {
  const id = file.id ?? "";
  const { targetId, targetMimeType } = file.shortcutDetails ?? {};
  const directory = isFolder(file);
  const mimeType = targetMimeType ?? file.mimeType ?? undefined;
  return {
    id,
    reference: targetId ?? id,
    ...(targetId == null ? {} : { entry: id }),
    refId: id,
    name: file.name ?? "",
    directory,
    ...present({
      // Drive tells a size of Google's own documents, too; they have no bytes.
      size: file.size == null || isGoogleFormat(mimeType) ? undefined : Number(file.size),
      createdDate: file.createdTime ?? undefined,
      modifiedDate: file.modifiedTime ?? undefined,
      parentId: file.parents?.[0] ?? (file.ownedByMe === false ? SHARED_WITH_ME : undefined),
      mimeType: directory ? undefined : mimeType,
      hash: file.md5Checksum ?? undefined,
      description: file.description ?? undefined,
    }),
    tags: tagsOf(file),
    raw: file,
  };
}

/**
 * Drive has no tags: each tag is stored, in order, in a property that only this app can read (124 bytes for key
 * and value).
 */
function tagsOf(file: DriveFile): string[] {
  return Object.entries(file.appProperties ?? {})
    .filter(([key]) => /^tag\d+$/.test(key))
    .sort(([a], [b]) => Number(a.slice(3)) - Number(b.slice(3)))
    .map(([, value]) => value);
}

function details(existing: DocumentsItem | undefined, { description, tags }: Details) {
  if (tags === undefined) return present({ description });
  // `null` deletes a property: the SDK's type does not say this, but the reference does.
  const appProperties: Record<string, string | null> = {};
  for (const index of (existing?.tags ?? []).keys()) appProperties[`tag${index}`] = null;
  for (const [index, tag] of tags.entries()) appProperties[`tag${index}`] = tag;
  return { ...present({ description }), appProperties };
}

function listFiles(call: VendorCall, query: Record<string, string>): Promise<drive_v3.Schema$FileList> {
  const fields = `nextPageToken,files(${FIELDS})`;
  return call.json({ method: "GET", url: withQuery(FILES, { ...query, fields, ...LIST_ALL_DRIVES }) });
}

async function listPage(
  call: VendorCall,
  query: Record<string, string>,
  page: PageRequest,
): Promise<VendorPage> {
  const { files = [], nextPageToken } = await listFiles(call, {
    ...query,
    pageSize: String(page.limit),
    ...present({ pageToken: page.cursor }),
  });
  const read = await mapConcurrently(files.map(toItem), AT_ONCE, (item) => withTarget(call, item));
  const items = read.map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
  return { items, ...present({ cursor: nextPageToken ?? undefined }) };
}

async function update(
  call: VendorCall,
  item: DocumentsItem,
  changes: object,
  query: Record<string, string> = {},
): Promise<DocumentsItem> {
  const url = withQuery(`${FILES}/${entryOf(item)}`, { ...query, fields: FIELDS, ...ALL_DRIVES });
  return await withTarget(call, toItem(await call.json<DriveFile>({ method: "PATCH", url, json: changes })));
}

/** https://developers.google.com/workspace/drive/api/guides/manage-uploads#multipart: metadata and bytes in one request. */
function sendMultipart(
  call: VendorCall,
  method: "POST" | "PATCH",
  url: string,
  query: Record<string, string>,
  metadata: object,
  content: Content,
): Promise<DriveFile> {
  const boundary = `linkspan-${randomUUID()}`;
  const head =
    `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(metadata)}\r\n` +
    `--${boundary}\r\nContent-Type: ${content.mimeType}\r\n\r\n`;
  return call.json<DriveFile>({
    method,
    url: withQuery(url, query),
    headers: [["Content-Type", `multipart/related; boundary=${boundary}`]],
    body: Buffer.concat([Buffer.from(head), content.bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    timeoutMs: 60_000,
  });
}

function about(call: VendorCall, fields: string): Promise<drive_v3.Schema$About> {
  return call.json({ method: "GET", url: withQuery(ABOUT, { fields }) });
}

/**
 * https://developers.google.com/workspace/drive/api/guides/search-files: a backslash escapes quotes and
 * backslashes.
 */
function quoted(value: string): string {
  return `'${value.replace(/[\\']/g, "\\$&")}'`;
}

function withQuery(url: string, query: Record<string, string>): string {
  return `${url}?${new URLSearchParams(query)}`;
}

function decodeOnce(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
