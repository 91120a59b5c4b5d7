import { LinkspanError, NotFound } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { DocumentsItem } from "../../item.ts";
import { mediaTypeOf } from "../../media-types.ts";
import type { ItemKind } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";

// Box's files, folders and web links as items of the hub. The API has no calls for "an item": the kind is part of each path,
// so it is part of each reference (`files/1`, `folders/1`, `web_links/1`).

/** https://developer.box.com/reference/resources (2026-11-27): what is read here of files, folders and web links. */
export interface BoxItem {
  readonly type: "file" | "folder" | "web_link";
  readonly id: string;
  readonly name?: string;
  readonly size?: number;
  readonly sha1?: string;
  readonly file_version?: { readonly id: string; readonly sha1?: string };
  readonly description?: string;
  readonly created_at?: string | null;
  readonly modified_at?: string | null;
  readonly parent?: { readonly id: string } | null;
  readonly path_collection?: { readonly entries: readonly { readonly id: string; readonly name?: string }[] };
  readonly shared_link?: SharedLink | null;
  /** Of a web link. */
  readonly url?: string;
}

export interface SharedLink {
  readonly url: string;
  readonly download_url?: string | null;
}

export interface BoxList {
  readonly entries?: readonly BoxItem[];
  readonly next_marker?: string | null;
  readonly total_count?: number;
}

const OF_EACH = "type,id,etag,name,description,created_at,modified_at,parent";
const OF_FILES = "size,sha1,file_version";
/** Fields of an item of a list, whose folder is known. */
export const LISTED = `fields=${OF_EACH},${OF_FILES},url`;
/** Fields of any item; `path_collection` has the names of all folders above it. */
export const FOUND = `${LISTED},path_collection`;
/** Fields of an item, or of a new one, by the first part of its path. */
export function fieldsOf(path: string): string {
  const fields = `fields=${OF_EACH},path_collection`;
  if (path.startsWith("files")) return `${fields},${OF_FILES}`;
  return path.startsWith("web_links") ? `${fields},url` : fields;
}

const ROOT_ID = "0";
export const ROOT = `folders/${ROOT_ID}`;

/** Every account's root folder has the id 0: https://developer.box.com/reference/get-folders-id (2026-11-27). */
export const rootItem: DocumentsItem = {
  id: ROOT_ID,
  reference: ROOT,
  refId: ROOT_ID,
  name: "",
  path: "/",
  directory: true,
  raw: { type: "folder", id: ROOT_ID, name: "All Files" },
};

const PLACES = { file: "files", folder: "folders", web_link: "web_links" } as const;

function referenceOf({ type, id }: Pick<BoxItem, "type" | "id">): string {
  return `${PLACES[type]}/${id}`;
}

/** Ids of files and folders are callers' ids as they are. Web links have numbers of their own, so their ids say what they are. */
const WEB_LINK = "web_link-";

export function openBoxId(id: string, kind?: ItemKind): string {
  if (id === ROOT_ID || id === "root") return ROOT;
  const number = id.startsWith(WEB_LINK) ? id.slice(WEB_LINK.length) : id;
  if (!/^\d{1,30}$/.test(number)) throw new NotFound("there is no file or folder with this id");
  if (number !== id) return `web_links/${number}`;
  return `${kind === "folder" ? "folders" : "files"}/${number}`;
}

export function toItem(box: BoxItem): DocumentsItem {
  if (box.type === "folder" && box.id === ROOT_ID) return rootItem;
  const id = box.type === "web_link" ? `${WEB_LINK}${box.id}` : box.id;
  const name = box.name ?? "";
  const directory = box.type === "folder";
  const isFile = box.type === "file";
  return {
    id,
    reference: referenceOf(box),
    refId: id,
    name,
    directory,
    ...present({
      path: pathOf(box),
      size: isFile ? box.size : undefined,
      createdDate: box.created_at ?? undefined,
      modifiedDate: box.modified_at ?? undefined,
      parentId: box.parent?.id,
      parentReference: box.parent == null ? undefined : `folders/${box.parent.id}`,
      // Box tells no media type.
      mimeType: isFile ? mediaTypeOf(name) : directory ? undefined : "application/internet-shortcut",
      hash: isFile ? box.sha1 : undefined,
      description: box.description || undefined,
    }),
    raw: box,
  };
}

/** An item whose topmost visible folder is not the user's root folder was shared by a link alone: it has no path. */
function pathOf({ path_collection: above, name }: BoxItem): string | undefined {
  const [first, ...folders] = above?.entries ?? [];
  if (first?.id !== ROOT_ID || name === undefined) return undefined;
  return [...folders.map((folder) => folder.name ?? ""), name].map((each) => `/${each}`).join("");
}

/** @throws {NotFound} */
export async function readItem(call: VendorCall, reference: string): Promise<DocumentsItem> {
  if (reference === ROOT) return rootItem;
  try {
    return await read(call, reference);
  } catch (error) {
    // Old clients take the files' calls for folders, too.
    const isMissing = error instanceof LinkspanError && error.status === 404;
    if (!isMissing || !reference.startsWith("files/")) throw error;
    return await read(call, reference.replace("files/", "folders/"));
  }
}

async function read(call: VendorCall, reference: string): Promise<DocumentsItem> {
  return toItem(await call.json<BoxItem>({ method: "GET", url: `/2.0/${reference}?${fieldsOf(reference)}` }));
}
