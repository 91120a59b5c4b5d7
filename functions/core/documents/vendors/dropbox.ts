import type { files, sharing, users } from "dropbox";
import { NotFound, NotSupported } from "../../errors.ts";
import { present } from "../../present.ts";
import type { DocumentsItem } from "../item.ts";
import { mediaTypeOf } from "../media-types.ts";
import { parentOf } from "../path.ts";
import type { PageRequest, PathVendor, Target, VendorPage } from "../vendor.ts";
import type { VendorCall } from "../vendor-call.ts";
import { badAnswer, type Refusal } from "../vendor-failure.ts";

/*
 * https://www.dropbox.com/developers/documentation/http/documentation
 * RPC calls carry JSON to api.dropboxapi.com; calls with bytes carry their JSON in a header to content.dropboxapi.com.
 */
const API = "https://api.dropboxapi.com/2";
const CONTENT = "https://content.dropboxapi.com/2";

type Metadata = files.FileMetadataReference | files.FolderMetadataReference | files.DeletedMetadataReference;

export const dropbox: PathVendor = {
  connector: "dropbox",
  addressing: "path",
  ignoresCase: true,
  makesParents: true,
  findsConflicts: true,
  // list_folder takes up to 2000, search_v2 up to 1000.
  maxPageSize: 1000,

  // "Endpoint-specific errors" have status 409 and an `error_summary`:
  // https://www.dropbox.com/developers/documentation/http/documentation#error-handling
  refusal(status, body) {
    if (status !== 409) return undefined;
    const summary = (body as { error_summary?: unknown } | undefined)?.error_summary;
    if (typeof summary !== "string") return undefined;
    return refusals.find(([pattern]) => pattern.test(summary))?.[1] ?? "invalid";
  },

  openId: openDropboxId,

  async root() {
    return rootItem;
  },

  async get(call, reference) {
    // "Note: Metadata for the root folder is unsupported." (files/get_metadata)
    if (reference === "/") return rootItem;
    return toItem(await rpc<Metadata>(call, "files/get_metadata", { path: reference }));
  },

  async list(call, folder, page) {
    const result = await (page.cursor === undefined
      ? rpc<files.ListFolderResult>(call, "files/list_folder", { path: wirePath(folder), limit: page.limit })
      : rpc<files.ListFolderResult>(call, "files/list_folder/continue", { cursor: page.cursor }));
    return listed(result);
  },

  async download(call, file, { range }) {
    const response = await call.open({
      method: "POST",
      url: `${CONTENT}/files/download`,
      headers: [
        ["Dropbox-API-Arg", headerJson({ path: file.reference })],
        ...(range === undefined ? [] : [["Range", range] as const]),
      ],
    });
    const metadata = response.headers["dropbox-api-result"];
    try {
      const { name } = JSON.parse(metadata ?? "") as files.FileMetadata;
      return { response, name, mimeType: mediaTypeOf(name) };
    } catch (error) {
      response.body.destroy();
      throw badAnswer("it lacks the Dropbox-API-Result header", error);
    }
  },

  // files/upload creates missing parents, and takes up to 150 MB.
  async upload(call, target, content) {
    const argument: files.UploadArg = {
      path: target.path,
      mode: { ".tag": content.overwrite ? "overwrite" : "add" },
      autorename: false,
      // Without this, a file with the same bytes is no conflict.
      strict_conflict: !content.overwrite,
    };
    const metadata = await call.json<files.FileMetadata>({
      method: "POST",
      url: `${CONTENT}/files/upload`,
      headers: [
        ["Dropbox-API-Arg", headerJson(argument)],
        ["Content-Type", "application/octet-stream"],
      ],
      body: content.bytes,
      timeoutMs: 60_000,
    });
    return toItem({ ...metadata, ".tag": "file" });
  },

  async createFolder(call, target) {
    const result = await rpc<files.CreateFolderResult>(call, "files/create_folder_v2", { path: target.path });
    return toItem({ ...result.metadata, ".tag": "folder" });
  },

  async move(call, item, target) {
    if (item.path?.toLowerCase() !== target.path.toLowerCase())
      return relocate(call, "move_v2", item, target, true);
    // "Note that we do not currently support case-only renaming." (files/move_v2) So this renames to a
    // temporary name first.
    const between = `${target.path}.${crypto.randomUUID()}`;
    const away = await relocate(call, "move_v2", item, { path: between }, false);
    try {
      return await relocate(call, "move_v2", away, target, false);
    } catch (error) {
      // Tries to restore the original name.
      await relocate(call, "move_v2", away, { path: item.path }, false).catch(() => {});
      throw error;
    }
  },

  copyFile: (call, item, target) => relocate(call, "copy_v2", item, target, false),
  copyFolder: (call, item, target) => relocate(call, "copy_v2", item, target, false),

  // Moves the item to the "deleted files", from which the user can restore it; `files/permanently_delete` is
  // for Dropbox Business only.
  async remove(call, item) {
    await rpc(call, "files/delete_v2", { path: item.reference });
    return undefined;
  },

  // files/restore restores a revision of a file; there is no such call for folders.
  async restore(call, item) {
    if (item.directory) throw new NotSupported("restoring a folder", "dropbox");
    const { rev } = item.raw as files.FileMetadata;
    await rpc(call, "files/restore", { path: item.path ?? item.reference, rev });
  },

  async search(call, { text, folder }, page) {
    if (text === undefined) return listBelow(call, folder?.reference ?? "/", page);
    const options: files.SearchOptions = {
      path: wirePath(folder?.reference ?? "/"),
      max_results: page.limit,
      filename_only: false,
    };
    const result = await (page.cursor === undefined
      ? rpc<files.SearchV2Result>(call, "files/search_v2", { query: text, options })
      : rpc<files.SearchV2Result>(call, "files/search/continue_v2", { cursor: page.cursor }));
    const found = result.matches.flatMap(({ metadata }) =>
      metadata[".tag"] === "metadata" ? [metadata.metadata as Metadata] : [],
    );
    return pageOf(found, result.has_more ? result.cursor : undefined);
  },

  async storage(call) {
    const { used, allocation } = await rpc<users.SpaceUsage>(call, "users/get_space_usage", null);
    if (allocation[".tag"] === "team") {
      return { total: allocation.allocated, used: allocation.used, shared: allocation.used - used };
    }
    return {
      ...(allocation[".tag"] === "individual" ? { total: allocation.allocated } : {}),
      used,
      shared: 0,
    };
  },

  async account(call) {
    const account = await rpc<users.FullAccount>(call, "users/get_current_account", null);
    return { id: account.account_id, name: account.name.display_name, email: account.email, raw: account };
  },

  async links(call, item) {
    const [existing] = await sharedLinks(call, item);
    const link =
      existing ??
      (await rpc<sharing.SharedLinkMetadata>(call, "sharing/create_shared_link_with_settings", {
        path: item.reference,
      }));
    return {
      lasting: true,
      providerViewLink: withDownload(link.url, "0"),
      providerLink: withDownload(link.url, "1"),
      raw: link,
    };
  },

  async removeLinks(call, item) {
    for (const link of await sharedLinks(call, item)) {
      await call.expectOk({
        method: "POST",
        url: `${API}/sharing/revoke_shared_link`,
        headers: [["Content-Type", "application/json"]],
        body: JSON.stringify({ url: link.url }),
      });
    }
  },

  // files/list_revisions returns the newest first, at most 100.
  async revisions(call, item) {
    const { entries } = await rpc<files.ListRevisionsResult>(call, "files/list_revisions", {
      path: item.reference,
      limit: 100,
    });
    return entries.map((entry) => ({
      id: entry.rev,
      size: entry.size,
      modifiedDate: entry.server_modified,
      ...present({ hash: entry.content_hash }),
      raw: entry,
    }));
  },
};

/** The meaning of an `error_summary`; the first match counts. Any other is the request's fault. */
const refusals: readonly (readonly [RegExp, Refusal])[] = [
  [/\bnot_found\b/, "not_found"],
  [/\bconflict\b/, "conflict"],
  [/\bnot_file\b/, "not_a_file"],
  [/\bnot_folder\b/, "not_a_folder"],
  [/\binsufficient_(space|quota)\b/, "storage_full"],
  [/\b(no_(write_)?permission|restricted_content|team_folder|email_not_verified)\b/, "forbidden"],
  [/\btoo_many_(write_operations|requests)\b/, "rate_limited"],
  [/^reset\b/, "cursor_expired"],
];

const rootItem: DocumentsItem = {
  id: idOf("/"),
  reference: "/",
  name: "",
  path: "/",
  directory: true,
  raw: { ".tag": "folder", path_lower: "", path_display: "" },
};

function toItem(metadata: Metadata): DocumentsItem {
  if (metadata[".tag"] === "deleted") throw new NotFound("there is no such file or folder");
  const item = { name: metadata.name, raw: metadata, ...placeOf(metadata) };
  if (metadata[".tag"] === "folder") return { ...item, refId: metadata.id, directory: true };
  return {
    ...item,
    refId: metadata.id,
    directory: false,
    size: metadata.size,
    // Dropbox has no creation time; the time that the uploading device sent is the nearest.
    createdDate: metadata.client_modified,
    modifiedDate: metadata.server_modified,
    mimeType: mediaTypeOf(metadata.name),
    ...present({ hash: metadata.content_hash }),
  };
}

/**
 * The place of an item. "This field will be null if the file or folder is not mounted" (path_lower): such an item has only its
 * stable id, because a path made of its name would be the path of another item.
 */
function placeOf({
  id,
  path_display: path,
  path_lower: lower,
}: Exclude<Metadata, files.DeletedMetadataReference>): Pick<
  DocumentsItem,
  "id" | "reference" | "path" | "parentId"
> {
  if (!path || !lower) return { id, reference: id };
  const parent = parentOf(lower);
  return {
    // A path with half of a surrogate pair cannot be percent-encoded.
    id: lower.isWellFormed() ? idOf(lower) : id,
    reference: lower,
    path,
    ...(parent.isWellFormed() ? { parentId: idOf(parent) } : {}),
  };
}

/**
 * The path in lower case, percent-encoded twice, as always in this API (the root is `%252F`). So a parent's id
 * is known without a call, and the id works in URLs whether or not a client encodes it. `refId` is Dropbox's
 * stable id.
 */
function idOf(lowerPath: string): string {
  return encodeURIComponent(encodeURIComponent(lowerPath));
}

function openDropboxId(id: string): string {
  let text = id;
  for (let layer = 0; layer <= 3; layer++) {
    if (text.startsWith("/") || text.startsWith("id:")) return text === "/" ? text : withoutLastSlashes(text);
    try {
      text = decodeURIComponent(text);
    } catch {
      break;
    }
  }
  throw new NotFound("there is no file or folder with this id");
}

function withoutLastSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end--;
  return path.slice(0, end);
}

function rpc<T>(call: VendorCall, name: string, argument: unknown): Promise<T> {
  return call.json<T>({ method: "POST", url: `${API}/${name}`, json: argument });
}

/** In requests the root is the empty string. */
function wirePath(reference: string): string {
  return reference === "/" ? "" : reference;
}

/** JSON for a header: "HTTP header safe JSON", in which every character that is not printable ASCII is escaped. */
function headerJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

async function relocate(
  call: VendorCall,
  name: "move_v2" | "copy_v2",
  item: DocumentsItem,
  target: Pick<Target, "path">,
  autorename: boolean,
): Promise<DocumentsItem> {
  const argument: files.RelocationArg = { from_path: item.reference, to_path: target.path, autorename };
  const { metadata } = await rpc<files.RelocationResult>(call, `files/${name}`, argument);
  return toItem(metadata as Metadata);
}

async function listBelow(call: VendorCall, folder: string, page: PageRequest): Promise<VendorPage> {
  const result = await (page.cursor === undefined
    ? rpc<files.ListFolderResult>(call, "files/list_folder", {
        path: wirePath(folder),
        recursive: true,
        limit: page.limit,
      })
    : rpc<files.ListFolderResult>(call, "files/list_folder/continue", { cursor: page.cursor }));
  const below = listed(result);
  // A recursive listing begins with the folder itself.
  return { ...below, items: below.items.filter(({ reference }) => reference !== folder.toLowerCase()) };
}

function listed(result: files.ListFolderResult): VendorPage {
  return pageOf(result.entries as Metadata[], result.has_more ? result.cursor : undefined);
}

function pageOf(entries: readonly Metadata[], cursor: string | undefined): VendorPage {
  const items = entries.filter((entry) => entry[".tag"] !== "deleted").map(toItem);
  return { items, ...present({ cursor }) };
}

async function sharedLinks(call: VendorCall, item: DocumentsItem): Promise<sharing.SharedLinkMetadata[]> {
  const { links } = await rpc<sharing.ListSharedLinksResult>(call, "sharing/list_shared_links", {
    path: item.reference,
    direct_only: true,
  });
  return links;
}

/** https://help.dropbox.com/share/force-download: dl=1 returns the bytes, dl=0 a page. */
function withDownload(link: string, value: "0" | "1"): string {
  const url = new URL(link);
  url.searchParams.set("dl", value);
  return url.href;
}
