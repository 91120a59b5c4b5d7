import { randomUUID } from "node:crypto";
import type { drive_v3 } from "@googleapis/drive";
import { NotFound } from "../../errors.ts";
import { present } from "../../present.ts";
import type { DocumentsItem } from "../item.ts";
import { mediaTypeOf, UNKNOWN_TYPE } from "../media-types.ts";
import type { Content, Details, IdVendor, PageRequest, VendorPage } from "../vendor.ts";
import type { VendorCall } from "../vendor-call.ts";
import { wrongKind } from "../vendor-failure.ts";
import { chooseFormat, formatOf, isGoogleFormat } from "./google-formats.ts";

/* https://developers.google.com/workspace/drive/api/reference/rest/v3 */
const FILES = "https://www.googleapis.com/drive/v3/files";
const UPLOAD = "https://www.googleapis.com/upload/drive/v3/files";
const ABOUT = "https://www.googleapis.com/drive/v3/about";

const FOLDER = "application/vnd.google-apps.folder";
const FIELDS =
  "id,name,mimeType,size,createdTime,modifiedTime,parents,trashed,md5Checksum,description,appProperties,webViewLink,webContentLink";

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

  async child(call, folder, name) {
    // Our paths write a slash in a Drive name as U+FF0F.
    const names = [...new Set([name, name.replaceAll("／", "/")])];
    const { files = [] } = await listFiles(call, {
      q: `(${names.map((each) => `name = ${quoted(each)}`).join(" or ")}) and ${quoted(folder)} in parents and trashed = false`,
      orderBy: "modifiedTime desc",
      pageSize: "100",
    });
    const exact =
      files.find((file) => file.name === name) ?? files.find((file) => names.includes(file.name ?? ""));
    return exact === undefined ? undefined : toItem(exact);
  },

  list: (call, folder, page) =>
    listPage(call, { q: `${quoted(folder)} in parents and trashed = false`, orderBy: "folder,name" }, page),

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
    const parents =
      (item.parentId ?? "") === target.parent
        ? {}
        : { addParents: target.parent, ...present({ removeParents: item.parentId }) };
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

  async remove(call, item, { forGood }) {
    if (forGood) {
      return call.expectOk({ method: "DELETE", url: withQuery(`${FILES}/${item.reference}`, ALL_DRIVES) });
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
  const file = await call.json<DriveFile>({
    method: "GET",
    url: withQuery(`${FILES}/${id}`, { fields: FIELDS, ...ALL_DRIVES }),
  });
  if (file.trashed) throw new NotFound("there is no such file or folder: it is in the bin");
  return toItem(file);
}

async function exportTypes(call: VendorCall, url: string): Promise<string[]> {
  const { exportLinks } = await call.json<DriveFile>({
    method: "GET",
    url: withQuery(url, { fields: "exportLinks", ...ALL_DRIVES }),
  });
  return Object.keys(exportLinks ?? {});
}

function toItem(file: DriveFile): DocumentsItem {
  const directory = file.mimeType === FOLDER;
  return {
    id: file.id ?? "",
    reference: file.id ?? "",
    refId: file.id ?? "",
    name: file.name ?? "",
    directory,
    ...present({
      size: file.size == null ? undefined : Number(file.size),
      createdDate: file.createdTime ?? undefined,
      modifiedDate: file.modifiedTime ?? undefined,
      parentId: file.parents?.[0],
      mimeType: directory ? undefined : (file.mimeType ?? undefined),
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
  return { items: files.map(toItem), ...present({ cursor: nextPageToken ?? undefined }) };
}

async function update(
  call: VendorCall,
  item: DocumentsItem,
  changes: object,
  query: Record<string, string> = {},
): Promise<DocumentsItem> {
  const url = withQuery(`${FILES}/${item.reference}`, { ...query, fields: FIELDS, ...ALL_DRIVES });
  return toItem(await call.json<DriveFile>({ method: "PATCH", url, json: changes }));
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
