import type { VendorResponse } from "../vendor-http.ts";
import type { DocumentsItem } from "./item.ts";
import type { VendorCall } from "./vendor-call.ts";
import type { ReadRefusal } from "./vendor-failure.ts";

/**
 * The place of an item: the reference for the vendor's calls, and the item if it was read while the path was
 * resolved.
 */
export interface Located {
  readonly reference: string;
  readonly item?: DocumentsItem;
}

/**
 * The place for a new, moved or copied item. The hub has created the parent and, for vendors addressed by id, looked for
 * `existing`.
 */
export interface Target {
  /** Absolute path; in a folder without a path, the folder's reference takes its place. */
  readonly path: string;
  readonly name: string;
  /**
   * Reference of the parent folder; for vendors addressed by path, its path. If only the name changes, the
   * item's current parent.
   */
  readonly parent: string;
  /** The item that already has that name; absent for vendors that find conflicts themselves. */
  readonly existing?: DocumentsItem;
}

/**
 * The vendor has accepted a task and works on it after its answer. The text is the vendor module's own (a monitor URL, a task
 * id); it is kept sealed, because such a URL may need no credential.
 */
export interface Pending {
  readonly pending: string;
}

export function isPending(outcome: object | undefined): outcome is Pending {
  return outcome !== undefined && "pending" in outcome;
}

export interface Content {
  readonly bytes: Uint8Array;
  readonly mimeType: string;
  /** False: the vendor's answer to an existing file is a `conflict`. */
  readonly overwrite: boolean;
  readonly details: Details;
}

/** The details that a file may have besides its content, if the vendor stores them. */
export interface Details {
  readonly description?: string;
  readonly tags?: readonly string[];
}

/** A part of a list; the hub makes the API's pages from parts. */
export interface VendorPage {
  readonly items: readonly DocumentsItem[];
  /** Absent: this was the last part. The same cursor gives the same part again. */
  readonly cursor?: string;
  /** The vendor, or a bound of its module, has left out items that belong to the list. */
  readonly incomplete?: boolean;
}

export interface SearchRequest {
  /** Absent: everything. */
  readonly text?: string;
  /** Absent: everywhere. */
  readonly folder?: DocumentsItem;
  /** Without `folder`: also in all drives of the user's teams. */
  readonly allDrives?: boolean;
}

export interface PageRequest {
  /** Approximate number of items; never more than the vendor's `maxPageSize`. */
  readonly limit: number;
  readonly cursor?: string;
}

export interface Download {
  readonly response: VendorResponse;
  readonly name: string;
  readonly mimeType: string;
}

export interface DownloadOptions {
  /** The caller's `Range`, unchanged. */
  readonly range?: string;
  /** Into which a document without bytes is exported. */
  readonly mediaType?: string;
  /** Downloads a file even if the vendor has marked it as malware or spam. */
  readonly acknowledgeAbuse?: boolean;
}

export interface Storage {
  /** Bytes; absent: the account has no limit. */
  readonly total?: number;
  readonly used: number;
  readonly shared: number;
}

export interface Links {
  /** The link is a shared link that does not expire, so the answer has no `expires`. */
  readonly lasting?: boolean;
  /** ISO 8601: when the vendor's link ends. */
  readonly expires?: string;
  /** Only who knows the link's password can open the vendor's link. */
  readonly requiresPassword?: true;
  /** URL of a page that shows the file. */
  readonly providerViewLink?: string;
  /** URL of the bytes. */
  readonly providerLink?: string;
  readonly raw: unknown;
}

/** A member of the team that an instance is connected to. */
export interface Member {
  readonly id: string;
  readonly email: string;
  readonly name?: string;
  /** The vendor's words: `active`, `invited`, `suspended`, …; `Team admin`. */
  readonly status?: string;
  readonly role?: string;
  readonly raw: unknown;
}

export interface Revision {
  readonly id: string;
  readonly size?: number;
  readonly modifiedDate?: string;
  readonly hash?: string;
  readonly raw: unknown;
}

/** A vendor's rules for names, in addition to those of paths (core/documents/path.ts). */
export interface NameRules {
  /**
   * Why the vendor refuses a new name, in a few words: `Box allows no name that ends with a space`.
   * @returns undefined: the vendor takes the name
   */
  refuse?(name: string): string | undefined;
  /** How a name is written in paths, if it has characters that a path cannot have. `child` takes names in this form, too. */
  shown?(name: string): string;
}

/** Parameters and headers (lower case) that let a call act elsewhere. A vendor honours those that it names; others are answered with 501. */
export type Choice = "teamDriveId" | "includeTeamDrives" | "subsite" | "elements-as-team-member";

export type ItemKind = "file" | "folder";

interface Primitives {
  /** Connector key. */
  readonly connector: string;
  /** Names that differ in case alone name the same item. */
  readonly ignoresCase?: true;
  /** Missing parents of a new, moved or copied item are made by the vendor. Absent: the hub makes them. */
  readonly makesParents?: true;
  /** The vendor answers a name that is taken with a `conflict`. Absent: the hub looks before each call. */
  readonly findsConflicts?: true;
  readonly names?: NameRules;
  /** `search` finds nothing without a text. Then, and if there is no `search`, the hub reads all folders (walk.ts). */
  readonly searchNeedsText?: true;
  /** `search` with a folder finds only what lies below it. Absent: the hub finds out the path of each item. */
  readonly findsBelow?: true;
  readonly honours?: readonly Choice[];
  /** The details that uploads and `describe` store at the vendor. Absent: both, if there is `describe`; else none. Linkspan keeps the others. */
  readonly keeps?: readonly (keyof Details)[];
  /** Largest part of a list that the vendor returns in one call. */
  readonly maxPageSize: number;
  readonly refusal: ReadRefusal;
  /**
   * Converts an id from a URL, percent-encoded or not, to a reference.
   * @param kind what the call is about, if its route says so; a `file` may still be a folder (old clients)
   * @throws {NotFound} no item can have this id
   */
  openId(id: string, kind?: ItemKind): string;
  root(call: VendorCall): Promise<DocumentsItem>;
  get(call: VendorCall, reference: string): Promise<DocumentsItem>;
  list(call: VendorCall, folder: string, page: PageRequest): Promise<VendorPage>;
  download(call: VendorCall, file: Located, options: DownloadOptions): Promise<Download>;
  upload(call: VendorCall, target: Target, content: Content): Promise<DocumentsItem>;
  createFolder(call: VendorCall, target: Target, details: Details): Promise<DocumentsItem>;
  /**
   * Moves and renames. If an item exists at the target, the vendor does not refuse; the result depends on the
   * vendor.
   */
  move(call: VendorCall, item: DocumentsItem, target: Target): Promise<DocumentsItem>;
  copyFile(call: VendorCall, item: DocumentsItem, target: Target): Promise<DocumentsItem | Pending>;
  /** Deletes a file, or a folder with its content. `forGood`: not into the vendor's bin. */
  remove(call: VendorCall, item: DocumentsItem, options: { forGood: boolean }): Promise<Pending | undefined>;
  /** The account of the connection: the cheapest call that shows whether the token is valid. */
  account(call: VendorCall): Promise<{ id: string; name?: string; email?: string; raw: unknown }>;
}

/** Optional methods. A missing method makes its call answer 501, and the catalogue's metadata lists the call as unsupported. */
interface Optional {
  /**
   * Restores an item that `remove` has just moved to the vendor's bin, at its old place.
   * @throws it cannot be restored
   */
  restore?(call: VendorCall, item: DocumentsItem): Promise<void>;
  /** Absent: the hub copies a folder file by file. */
  copyFolder?(call: VendorCall, item: DocumentsItem, target: Target): Promise<DocumentsItem | Pending>;
  /**
   * Asks once how far a pending task is.
   * @returns undefined: it still runs; else the reference of the item that it made, if it made one
   * @throws {TaskFailed} it failed; other errors with a status of 400, 404, 409, 413 or 507 mean the same, the rest that the
   *   vendor could not be asked
   */
  poll?(call: VendorCall, task: Pending): Promise<{ readonly reference?: string } | undefined>;
  /**
   * The root (a drive, a site's library) that a reference lies in, if an instance has several. The hub moves items between
   * roots by a copy, a check and a removal.
   */
  rootOf?(reference: string): string;
  search?(call: VendorCall, query: SearchRequest, page: PageRequest): Promise<VendorPage>;
  /** The drives of the user's teams, each as a folder with its path. */
  teamDrives?(call: VendorCall): Promise<readonly DocumentsItem[]>;
  createTeamDrive?(call: VendorCall, name: string): Promise<DocumentsItem>;
  renameTeamDrive?(call: VendorCall, drive: DocumentsItem, name: string): Promise<DocumentsItem>;
  /** @throws {LinkspanError} the vendor refuses, as Google does for a drive that is not empty */
  removeTeamDrive?(call: VendorCall, drive: DocumentsItem): Promise<void>;
  storage?(call: VendorCall): Promise<Storage>;
  /** Changes description and tags. */
  describe?(call: VendorCall, item: DocumentsItem, details: Details): Promise<DocumentsItem>;
  links?(call: VendorCall, item: DocumentsItem): Promise<Links>;
  /** Deletes the shared links. */
  removeLinks?(call: VendorCall, item: DocumentsItem): Promise<void>;
  /** The members of the team, all of them. */
  members?(call: VendorCall): Promise<readonly Member[]>;
  /** Newest first. */
  revisions?(call: VendorCall, item: DocumentsItem): Promise<readonly Revision[]>;
}

/** Paths are the vendor's own addresses: a path is a reference in every call. */
export interface PathVendor extends Primitives, Optional {
  readonly addressing: "path";
}

/** Ids are the vendor's own addresses: the hub walks a path with `child`, or asks `byPath`. */
export interface IdVendor extends Primitives, Optional {
  readonly addressing: "id";
  /** The root folder's reference in every call. */
  readonly rootReference: string;
  /**
   * The item of that name in a folder; if there are several, the one modified last.
   * @param prefer `folder`: a folder of that name, if there is one
   */
  child(
    call: VendorCall,
    folder: string,
    name: string,
    prefer?: "folder",
  ): Promise<DocumentsItem | undefined>;
  /**
   * Finds the item at a path in one call, whatever its depth. Absent: the hub walks the path.
   * @throws {NotFound}
   */
  byPath?(call: VendorCall, path: string): Promise<DocumentsItem>;
  /**
   * Folders beside the root folder's tree, by the names that their paths begin with: `Shared with me`. `get`, `list` and `child`
   * take their references. An item in one of them has it as its parent. A folder of the user's own that has such a name is
   * reached by its id.
   */
  readonly places?: Readonly<Record<string, string>>;
  /** Copies a shortcut as a shortcut. Absent: the vendor has none. */
  copyEntry?(call: VendorCall, item: DocumentsItem, target: Target): Promise<DocumentsItem>;
}

/** One vendor of the Documents hub: primitives on references. The hub does everything that is the same for all vendors. */
export type DocumentsVendor = PathVendor | IdVendor;
