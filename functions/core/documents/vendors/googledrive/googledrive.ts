import { randomUUID } from "node:crypto";
import type { drive_v3 } from "@googleapis/drive";
import { Conflict, InvalidRequest, LinkspanError, NotFound } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import { mediaTypeOf, UNKNOWN_TYPE } from "../../media-types.ts";
import { plainId } from "../../plain-id.ts";
import { idInName, nameWithId } from "../../resolve-path.ts";
import type { Content, IdVendor, Target } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { badAnswer, type Refusal, wrongKind } from "../../vendor-failure.ts";
import {
  ALL_DRIVES,
  type DriveFile,
  details,
  entryOf,
  FIELDS,
  FILES,
  FOLDER,
  isFolder,
  listFiles,
  listPage,
  readFile,
  SHORTCUT,
  toItem,
  withTarget,
} from "./files.ts";
import { chooseFormat, formatOf, isGoogleFormat } from "./formats.ts";
import {
  createTeamDrive,
  driveItem,
  isPlace,
  MAX_PAGES,
  placeItem,
  places,
  readDrive,
  removeTeamDrive,
  renameTeamDrive,
  SHARED_DRIVES,
  sharedDrives,
  shownName,
  toldApart,
  within,
} from "./places.ts";
import { quoted, withQuery } from "./query.ts";
import { search } from "./search.ts";

/* https://developers.google.com/workspace/drive/api/reference/rest/v3 */
const UPLOAD = "https://www.googleapis.com/upload/drive/v3/files";
const ABOUT = "https://www.googleapis.com/drive/v3/about";

export const googledrive: IdVendor = {
  connector: "googledrive",
  addressing: "id",
  rootReference: "root",
  places,
  // A slash would separate two names of a path, so it is written as U+FF0F; `child` converts it back.
  names: { shown: shownName },
  findsBelow: true,
  honours: ["teamDriveId", "includeTeamDrives"],
  maxPageSize: 1000,

  // https://developers.google.com/workspace/drive/api/guides/handle-errors
  refusal(status, body) {
    const error = (body as { error?: DriveError } | undefined)?.error;
    const { reason, location } = error?.errors?.[0] ?? {};
    if (reason !== undefined && /rateLimitExceeded|dailyLimitExceeded/i.test(reason)) return "rate_limited";
    if (reason !== undefined && Object.hasOwn(reasons, reason)) return reasons[reason];
    if (status === 400 && location === "pageToken") return "cursor_expired";
    return undefined;
  },

  openId(id) {
    const plain = plainId(id);
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

  async download(call, file, { range, mediaType, acknowledgeAbuse }) {
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
    const open = (more: Record<string, string> = {}) =>
      call.open({
        method: "GET",
        url: withQuery(url, { alt: "media", ...more, ...ALL_DRIVES }),
        headers: range === undefined ? [] : [["Range", range]],
      });
    const response = await open().catch((error: unknown) => {
      const isMarked = error instanceof LinkspanError && error.code === "marked_as_malware";
      if (!isMarked || acknowledgeAbuse !== true) throw error;
      // Google refuses the parameter for a file that is not marked, so it is sent for marked files only.
      return open({ acknowledgeAbuse: "true" });
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
    refusePlace(target);
    // With one of Google's own types, Drive would convert the bytes.
    const mimeType = isGoogleFormat(content.mimeType) ? UNKNOWN_TYPE : content.mimeType;
    const metadata = { name: target.name, parents: [target.parent], mimeType, ...described };
    return toItem(await sendMultipart(call, "POST", UPLOAD, query, metadata, content));
  },

  async createFolder(call, target, wanted) {
    return create(call, FILES, target, { mimeType: FOLDER, ...details(undefined, wanted) });
  },

  async move(call, item, target) {
    if (item.parentId === SHARED_DRIVES && target.parent === SHARED_DRIVES)
      return renameTeamDrive(call, item, target.name);
    if (item.parentId !== target.parent) refusePlace(target);
    const [parent] = (item.raw as DriveFile).parents ?? [];
    const parents =
      (item.parentId ?? "") === target.parent
        ? {}
        : { addParents: target.parent, ...present({ removeParents: parent }) };
    return update(call, item, { name: target.name }, parents);
  },

  async copyFile(call, item, target) {
    return create(call, `${FILES}/${item.reference}/copy`, target, {});
  },

  async copyEntry(call, item, target) {
    return create(call, FILES, target, {
      mimeType: SHORTCUT,
      shortcutDetails: { targetId: item.reference },
    });
  },

  async remove(call, item, { forGood }) {
    if (item.parentId === SHARED_DRIVES) {
      await removeTeamDrive(call, item);
      return undefined;
    }
    if (forGood)
      await call.expectOk({ method: "DELETE", url: withQuery(`${FILES}/${entryOf(item)}`, ALL_DRIVES) });
    else await update(call, item, { trashed: true });
    return undefined;
  },

  async restore(call, item) {
    await update(call, item, { trashed: false });
  },

  search,

  teamDrives: sharedDrives,

  createTeamDrive,

  renameTeamDrive,

  removeTeamDrive,

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
    const revisions = await allRevisions(call, item.reference);
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

/** https://developers.google.com/workspace/drive/api/guides/handle-errors (2026-11-27) */
const reasons: Readonly<Record<string, Refusal>> = {
  accessNotConfigured: "api_not_enabled",
  cannotDownloadAbusiveFile: "marked_as_malware",
  downloadQuotaExceeded: "download_quota_exceeded",
  exportSizeLimitExceeded: "export_too_large",
  insufficientPermissions: "missing_scope",
  storageQuotaExceeded: "storage_full",
};

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

/** Oldest first: the newest revision is on the last page. */
async function allRevisions(call: VendorCall, id: string): Promise<drive_v3.Schema$Revision[]> {
  const found: drive_v3.Schema$Revision[] = [];
  let pageToken: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const { revisions = [], nextPageToken } = await call.json<drive_v3.Schema$RevisionList>({
      method: "GET",
      url: withQuery(`${FILES}/${id}/revisions`, {
        fields: "nextPageToken,revisions(id,modifiedTime,size,md5Checksum,mimeType)",
        pageSize: "1000",
        ...present({ pageToken }),
      }),
    });
    found.push(...revisions);
    if (nextPageToken == null) return found;
    pageToken = nextPageToken;
  }
  throw badAnswer("its list of revisions has no end");
}

async function exportTypes(call: VendorCall, url: string): Promise<string[]> {
  const { exportLinks } = await call.json<DriveFile>({
    method: "GET",
    url: withQuery(url, { fields: "exportLinks", ...ALL_DRIVES }),
  });
  return Object.keys(exportLinks ?? {});
}

/** The places beside My Drive are lists, and no folders of Drive. @throws {InvalidRequest} */
function refusePlace({ parent, path }: Target): void {
  if (!isPlace(parent)) return;
  throw new InvalidRequest(
    `${path} would be in a list of Google's; shared drives are made by POST /team-drives`,
    "path",
  );
}

/** Creates an entry by a POST: a folder, a shortcut, or the copy of a file. */
async function create(
  call: VendorCall,
  path: string,
  target: Target,
  metadata: object,
): Promise<DocumentsItem> {
  refusePlace(target);
  const { name, parent } = target;
  const url = withQuery(path, { fields: FIELDS, ...ALL_DRIVES });
  const json = { name, parents: [parent], ...metadata };
  return toItem(await call.json<DriveFile>({ method: "POST", url, json }));
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
