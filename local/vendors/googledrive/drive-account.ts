import { createHash, randomBytes } from "node:crypto";
import type { drive_v3 } from "@googleapis/drive";
import type { Clock } from "../../clock.ts";
import type { Content } from "../content.ts";
import { FileTree, type Revision, type TreeNode } from "../file-tree.ts";
import { mediaTypeOf } from "../media-type.ts";
import type { StandInAccount, StandInEntry, StandInRestriction } from "../stand-in.ts";
import { DriveError, fileNotFound } from "./errors.ts";

/** Why an item is outside of My Drive; only the topmost item has it. A restart loses such items. */
export type DrivePlace =
  | { readonly kind: "sharedWithMe"; readonly by: string; readonly at: number }
  | { readonly kind: "sharedDrive"; readonly name: string };

/** Drive's data of an item, in addition to name and bytes. */
export interface DriveDetail {
  mimeType: string;
  place?: DrivePlace;
  restriction?: StandInRestriction;
  /** Id of the file or folder that a shortcut leads to. */
  shortcutTo?: string;
  description: string | undefined;
  starred: boolean;
  /** The item itself is in the trash, not only a folder above it. */
  explicitlyTrashed: boolean;
  trashedAt: number | undefined;
  originalFilename: string | undefined;
  properties: Record<string, string>;
  appProperties: Record<string, string>;
  folderColorRgb: string | undefined;
  version: number;
  readonly permissions: Map<string, drive_v3.Schema$Permission>;
}

export type DriveNode = TreeNode<DriveDetail>;

export const FOLDER = "application/vnd.google-apps.folder";
export const SHORTCUT = "application/vnd.google-apps.shortcut";
export const isGoogleType = (mimeType: string) => mimeType.startsWith("application/vnd.google-apps.");

/** 15 GB, the space of a free account. */
export const QUOTA_BYTES = 15 * 1024 ** 3;
/** One account: items by id, each in one folder (since 2020); names may repeat. */
export class DriveAccount implements StandInAccount {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly tree: FileTree<DriveDetail>;
  readonly #clock: Clock;
  /** A search of all drives leaves the shared drives out, and says that it is incomplete. */
  leavesDrivesOut = false;

  /** `earlier`: the account's tree at the end of an earlier run. */
  constructor(account: StandInAccount, clock: Clock, earlier?: FileTree<DriveDetail>) {
    this.login = account.login;
    this.name = account.name;
    this.email = account.email;
    this.#clock = clock;
    const id = `0A${randomBytes(11).toString("base64url")}PVA`;
    this.tree = earlier ?? new FileTree<DriveDetail>(this.#node(id, "My Drive", undefined, FOLDER));
  }

  now(): number {
    return this.#clock.now();
  }

  /** The same number for an account in every run. */
  get permissionId(): string {
    const digest = createHash("sha256").update(`permission ${this.login}`).digest();
    return String(digest.readBigUInt64BE() % 10n ** 20n).padStart(20, "0");
  }

  /** By id, or `root`. @throws {DriveError} notFound */
  file(id: string): DriveNode {
    const node = id === "root" ? this.tree.root : this.tree.get(id);
    if (node === undefined) throw fileNotFound(id);
    return node;
  }

  /** Returns a folder that can get a new item. @throws {DriveError} no folder has this id */
  folder(id: string): DriveNode {
    const node = this.file(id);
    if (!node.directory)
      throw new DriveError(403, "parentNotAFolder", "The specified parent is not a folder.");
    return node;
  }

  /**
   * @throws {DriveError} the account is full, or the requested id is in use or does not have the form of
   * `newId`
   */
  create(
    name: string,
    parent: DriveNode,
    mimeType: string,
    content?: Content,
    id: string = newId(),
  ): DriveNode {
    this.refuseOverQuota(content?.size ?? 0);
    if (!/^1[\w-]{32}$/.test(id)) {
      throw new DriveError(400, "invalid", "The provided file ID is not usable.", { parameter: "file.id" });
    }
    if (this.tree.get(id) !== undefined) {
      throw new DriveError(409, "fileIdInUse", "A file already exists with the provided ID.");
    }
    const node = this.#node(id, name, parent.id, mimeType);
    this.tree.add(node);
    if (content !== undefined) this.write(node, content, mimeType);
    return node;
  }

  write(node: DriveNode, content: Content, mimeType: string): void {
    this.refuseOverQuota(content.size - (node.revisions.at(-1)?.content.size ?? 0));
    this.tree.addRevision(node, this.#revision(content, mimeType));
    node.detail.version += 1;
  }

  move(node: DriveNode, parent: DriveNode): void {
    if (node === this.tree.root || this.tree.isInside(parent, node)) {
      throw new DriveError(
        400,
        "badRequest",
        "The requested parent would create a cycle in the directory graph.",
      );
    }
    this.tree.move(node, parent.id, node.name);
    node.detail.version += 1;
  }

  /** Adds an item that another person shares with this account. */
  addShared(name: string, content: Content | undefined, by: string): DriveNode {
    const mimeType = content === undefined ? FOLDER : mediaTypeOf(name);
    return this.#addPlace(newId(), name, mimeType, { kind: "sharedWithMe", by, at: this.now() }, content);
  }

  /** Adds a shared drive. As at Google, the name of its top folder is "Drive", whatever the drive's name is. */
  addSharedDrive(name: string, id = `0A${randomBytes(11).toString("base64url")}PVA`): DriveNode {
    return this.#addPlace(id, "Drive", FOLDER, { kind: "sharedDrive", name }, undefined);
  }

  sharedDrives(): DriveNode[] {
    return [...this.tree.all()].filter(({ detail }) => detail.place?.kind === "sharedDrive");
  }

  sharedDrive(id: string): DriveNode | undefined {
    return this.sharedDrives().find((drive) => drive.id === id);
  }

  /** The topmost item outside of My Drive that an item lies in, or is. */
  placeOf(node: DriveNode): DriveNode | undefined {
    let at = node;
    for (let parent = this.tree.parent(at); parent !== undefined; parent = this.tree.parent(at)) at = parent;
    return at.detail.place === undefined ? undefined : at;
  }

  /** The item that a shortcut leads to; undefined: it leads nowhere. */
  targetOf({ detail }: DriveNode): DriveNode | undefined {
    return detail.shortcutTo === undefined ? undefined : this.tree.get(detail.shortcutTo);
  }

  #addPlace(
    id: string,
    name: string,
    mimeType: string,
    place: DrivePlace,
    content: Content | undefined,
  ): DriveNode {
    const node = this.#node(id, name, undefined, mimeType);
    node.detail.place = place;
    this.tree.add(node);
    if (content !== undefined) this.write(node, content, mimeType);
    return node;
  }

  isTrashed(node: DriveNode): boolean {
    for (let at: DriveNode | undefined = node; at !== undefined; at = this.tree.parent(at)) {
      if (at.detail.explicitlyTrashed) return true;
    }
    return false;
  }

  trashedBytes(): number {
    return [...this.tree.all()]
      .filter((node) => this.isTrashed(node))
      .reduce((sum, node) => sum + (node.revisions.at(-1)?.content.size ?? 0), 0);
  }

  entries(): StandInEntry[] {
    return [...this.tree.below(this.tree.root.id)]
      .map((node) => ({
        path: this.tree.pathOf(node),
        directory: node.directory,
        size: node.revisions.at(-1)?.content.size ?? 0,
      }))
      .sort((left, right) => (left.path < right.path ? -1 : 1));
  }

  /** @throws {DriveError} storageQuotaExceeded */
  refuseOverQuota(bytes: number): void {
    if (this.tree.isFull() || this.tree.usedBytes() + bytes > QUOTA_BYTES) {
      throw new DriveError(403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.");
    }
  }

  #revision(content: Content, mediaType: string): Revision {
    const now = this.now();
    const id = `0B${randomBytes(31).toString("base64url")}PQ`;
    return { id, content, mediaType, storedAt: now, clientModifiedAt: now };
  }

  #node(id: string, name: string, parentId: string | undefined, mimeType: string): DriveNode {
    const now = this.now();
    const owner: drive_v3.Schema$Permission = {
      kind: "drive#permission",
      id: this.permissionId,
      type: "user",
      role: "owner",
      emailAddress: this.email,
      displayName: this.name,
      deleted: false,
      pendingOwner: false,
    };
    const detail: DriveDetail = {
      mimeType,
      description: undefined,
      starred: false,
      explicitlyTrashed: false,
      trashedAt: undefined,
      originalFilename: undefined,
      properties: {},
      appProperties: {},
      folderColorRgb: undefined,
      version: 1,
      permissions: new Map([[this.permissionId, owner]]),
    };
    return {
      id,
      name,
      parentId,
      directory: mimeType === FOLDER,
      revisions: [],
      createdAt: now,
      modifiedAt: now,
      detail,
    };
  }
}

/**
 * An id as from files.generateIds: a client may send such an id, so that a repeated create makes only one
 * file.
 */
export function newId(): string {
  return `1${randomBytes(24).toString("base64url")}`;
}
