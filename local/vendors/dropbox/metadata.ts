import type { files } from "dropbox";
import type { Revision } from "../file-tree.ts";
import { contentHash } from "./content-hash.ts";
import { type DropboxAccount, type DropboxNode, nameOf } from "./dropbox-account.ts";

export type EntryReference =
  | files.FileMetadataReference
  | files.FolderMetadataReference
  | files.DeletedMetadataReference;

/** Dropbox's times have seconds only. */
export function timestamp(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, "Z");
}

export function newestOf(node: DropboxNode): Revision {
  const newest = node.revisions.at(-1);
  if (newest === undefined) throw new Error(`${node.id} has no content`);
  return newest;
}

export function fileMetadata(
  account: DropboxAccount,
  node: DropboxNode,
  revision: Revision = newestOf(node),
  path: string = account.tree.pathOf(node),
): files.FileMetadata {
  return {
    name: nameOf(path) || node.name,
    ...(account.isMounted(node) ? { path_lower: path.toLowerCase(), path_display: path } : {}),
    id: node.id,
    client_modified: timestamp(revision.clientModifiedAt),
    server_modified: timestamp(revision.storedAt),
    rev: revision.id,
    size: revision.content.size,
    ...downloadability(node),
    content_hash: contentHash(revision.content),
  };
}

/** `export_info` "must be set if is_downloadable is set to false" (FileMetadata). */
function downloadability({
  detail: { exports },
}: DropboxNode): Pick<files.FileMetadata, "is_downloadable" | "export_info"> {
  const [first, ...others] = exports ?? [];
  if (first === undefined) return { is_downloadable: true };
  return { is_downloadable: false, export_info: { export_as: first, export_options: others } };
}

export function folderMetadata(account: DropboxAccount, node: DropboxNode): files.FolderMetadata {
  const path = account.tree.pathOf(node);
  return { name: node.name, path_lower: path.toLowerCase(), path_display: path, id: node.id };
}

/** Metadata with its `.tag`, for answers that may hold a file or a folder. */
export function reference(
  account: DropboxAccount,
  node: DropboxNode,
): files.FileMetadataReference | files.FolderMetadataReference {
  return node.directory
    ? { ".tag": "folder", ...folderMetadata(account, node) }
    : { ".tag": "file", ...fileMetadata(account, node) };
}

export function deletedReference(path: string): files.DeletedMetadataReference {
  return { ".tag": "deleted", name: nameOf(path), path_lower: path.toLowerCase(), path_display: path };
}
