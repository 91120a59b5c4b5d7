import type { files, users } from "dropbox";
import { Conflict, LinkspanError, NotSupported } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { PageRequest, PathVendor, VendorPage } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { download } from "./downloads.ts";
import { listed, type Metadata, openDropboxId, pageOf, rootItem, toItem, wirePath } from "./items.ts";
import { readLink, revokeLinks } from "./links.ts";
import { move, relocate } from "./moves.ts";
import { acting, pathRootHeader } from "./path-root.ts";
import { dropboxRefusal } from "./refusals.ts";
import { refusedName } from "./refused-name.ts";
import { contentCall, rpc } from "./rpc.ts";

/** The calls of a user's account. Dropbox Business makes the same calls for a member of a team. */
export const userFiles: PathVendor = {
  connector: "dropbox",
  addressing: "path",
  ignoresCase: true,
  makesParents: true,
  findsConflicts: true,
  names: { refuse: refusedName },
  // list_folder takes up to 2000, search_v2 up to 1000.
  maxPageSize: 1000,

  refusal: dropboxRefusal,
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

  download: (call, file, options) => download(call, file.reference, options),

  // files/upload creates missing parents, and takes up to 150 MB.
  async upload(call, target, content) {
    if (content.overwrite && isCloudDocument(target.name)) await refuseCloudDocument(call, target.path);
    const argument: files.UploadArg = {
      path: target.path,
      mode: { ".tag": content.overwrite ? "overwrite" : "add" },
      autorename: false,
      // Without this, a file with the same bytes is no conflict.
      strict_conflict: !content.overwrite,
    };
    const metadata = await call.json<files.FileMetadata>({
      ...contentCall("files/upload", argument, [["Content-Type", "application/octet-stream"]]),
      body: content.bytes,
      timeoutMs: 60_000,
    });
    return toItem({ ...metadata, ".tag": "file" });
  },

  async createFolder(call, target) {
    const result = await rpc<files.CreateFolderResult>(call, "files/create_folder_v2", { path: target.path });
    return toItem({ ...result.metadata, ".tag": "folder" });
  },

  move,

  copyFile: (call, item, target) => relocate(call, "copy_v2", item.reference, target.path, false),
  copyFolder: (call, item, target) => relocate(call, "copy_v2", item.reference, target.path, false),

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
      // `used` is the user's own part of what the team uses; the team's number may be older.
      const shared = Math.max(0, allocation.used - used);
      return { total: allocation.allocated, used: allocation.used, shared };
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

  links: readLink,
  removeLinks: revokeLinks,

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

export const dropbox: PathVendor = acting(userFiles, pathRootHeader);

/** Names of files that may be only exported: https://help.dropbox.com/create-upload/cloud-docs (Paper, Google Docs). */
function isCloudDocument(name: string): boolean {
  return /\.(?:papert?|gdoc|gsheet|gslides)$/i.test(name);
}

/**
 * The documentation does not say what becomes of such a file if bytes are uploaded over it.
 * @throws {Conflict} there is one
 */
async function refuseCloudDocument(call: VendorCall, path: string): Promise<void> {
  const there = await rpc<Metadata>(call, "files/get_metadata", { path }).catch((error: unknown) => {
    if (error instanceof LinkspanError && error.status === 404) return undefined;
    throw error;
  });
  if (there?.[".tag"] === "file" && there.is_downloadable === false)
    throw new Conflict(`${path} is a document that has no bytes: it is not overwritten`);
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
