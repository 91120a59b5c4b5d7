import { isoSeconds } from "../iso-seconds.ts";
import { present } from "../present.ts";
/** A file or folder as the vendor's module (documents/vendors/) returns it; `toWire` converts it to the API's shape. */
export interface DocumentsItem {
  /** The id for callers, who send it back; used unchanged as a URL path segment. */
  readonly id: string;
  /** The item's path or id in the vendor's own calls. */
  readonly reference: string;
  /**
   * What is moved, renamed and deleted, where it is another item than `reference`: a shortcut. Its `reference` is the item that
   * it leads to.
   */
  readonly entry?: string;
  /** Name of this item in paths, where its own name would lead to another item. */
  readonly pathName?: string;
  /** An id that survives every move, where the vendor has one. */
  readonly refId?: string;
  /** Empty for a root that has no name. */
  readonly name: string;
  /** Absolute. Absent where the vendor does not return it (addressing by id): the hub finds it out. */
  readonly path?: string;
  readonly directory: boolean;
  /** Bytes. Only for files; absent if the vendor has no bytes for the file (Google's own formats). */
  readonly size?: number;
  /** ISO 8601, as received from the vendor. */
  readonly createdDate?: string;
  readonly modifiedDate?: string;
  /** The parent folder's `id`. */
  readonly parentId?: string;
  /** The parent folder's `reference`, if it differs from `parentId`. */
  readonly parentReference?: string;
  readonly mimeType?: string;
  readonly hash?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** The vendor's own answer, shown only with `raw=true`. */
  readonly raw: unknown;
}

/** The API's shape: ISO 8601 dates in UTC without fractions of a second, `properties` always an object. */
export interface WireItem {
  readonly id: string;
  readonly name: string;
  readonly path?: string;
  readonly directory: boolean;
  readonly size?: number;
  readonly createdDate?: string;
  readonly modifiedDate?: string;
  readonly parentFolderId?: string;
  readonly tags: readonly string[];
  readonly refId?: string;
  readonly description?: string;
  readonly properties: { readonly mimeType?: string; readonly hash?: string };
  readonly raw?: unknown;
}

export interface WireOptions {
  /** `raw=true`: adds the vendor's own answer. */
  readonly raw?: boolean;
  /** `calculateFolderPath=false`: no path. */
  readonly withoutPath?: boolean;
  /** `fields=a,b`: only these. */
  readonly fields?: readonly string[];
}

export function toWire(item: DocumentsItem, options: WireOptions = {}): WireItem {
  const file = item.directory ? {} : present({ size: item.size });
  const wire: WireItem = {
    id: item.id,
    name: item.name,
    ...(options.withoutPath ? {} : present({ path: item.path })),
    directory: item.directory,
    ...file,
    ...present({ createdDate: utc(item.createdDate), modifiedDate: utc(item.modifiedDate) }),
    ...present({ parentFolderId: item.parentId }),
    tags: item.tags ?? [],
    ...present({ refId: item.refId, description: item.description }),
    properties: item.directory
      ? {}
      : { mimeType: item.mimeType ?? "application/octet-stream", ...present({ hash: item.hash }) },
    ...(options.raw ? { raw: item.raw } : {}),
  };
  return options.fields === undefined ? wire : select(wire, options.fields);
}

/**
 * The date format of most vendors. Such a date is cut as text, because parsing takes longer than all the rest
 * of the item.
 */
const UTC =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/;

/** Old clients can only parse `yyyy-MM-dd'T'HH:mm:ss'Z'`. */
function utc(date: string | undefined): string | undefined {
  if (date === undefined) return undefined;
  if (UTC.test(date)) return date.length === 20 ? date : `${date.slice(0, 19)}Z`;
  const at = new Date(date);
  return Number.isNaN(at.getTime()) ? undefined : isoSeconds(at);
}

function select(wire: WireItem, fields: readonly string[]): WireItem {
  const wanted = new Set(fields);
  return Object.fromEntries(Object.entries(wire).filter(([name]) => wanted.has(name))) as unknown as WireItem;
}

/** The part after the last dot, in lower case; empty for `.profile` and names without a dot. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? "" : name.slice(dot + 1).toLowerCase();
}
