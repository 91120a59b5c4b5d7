import type { files } from "dropbox";
import { NotFound } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import { mediaTypeOf } from "../../media-types.ts";
import { parentOf } from "../../path.ts";
import type { VendorPage } from "../../vendor.ts";

export type Metadata =
  | files.FileMetadataReference
  | files.FolderMetadataReference
  | files.DeletedMetadataReference;

export const rootItem: DocumentsItem = {
  id: idOf("/"),
  reference: "/",
  name: "",
  path: "/",
  directory: true,
  raw: { ".tag": "folder", path_lower: "", path_display: "" },
};

export function toItem(metadata: Metadata): DocumentsItem {
  if (metadata[".tag"] === "deleted") throw new NotFound("there is no such file or folder");
  const item = { name: metadata.name, raw: metadata, ...placeOf(metadata) };
  if (metadata[".tag"] === "folder") return { ...item, refId: metadata.id, directory: true };
  return {
    ...item,
    refId: metadata.id,
    directory: false,
    // A file that is only exported (Paper): its metadata has the size and the hash of other bytes than those of a download.
    ...(metadata.is_downloadable === false
      ? {}
      : { size: metadata.size, ...present({ hash: metadata.content_hash }) }),
    // Dropbox has no creation time; the time that the uploading device sent is the nearest.
    createdDate: metadata.client_modified,
    modifiedDate: metadata.server_modified,
    mimeType: mediaTypeOf(metadata.name),
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

export function openDropboxId(id: string): string {
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

/** In requests the root is the empty string. */
export function wirePath(reference: string): string {
  return reference === "/" ? "" : reference;
}

export function listed(result: files.ListFolderResult): VendorPage {
  return pageOf(result.entries as Metadata[], result.has_more ? result.cursor : undefined);
}

export function pageOf(entries: readonly Metadata[], cursor: string | undefined): VendorPage {
  const items = entries.filter((entry) => entry[".tag"] !== "deleted").map(toItem);
  return { items, ...present({ cursor }) };
}
