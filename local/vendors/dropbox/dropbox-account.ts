import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { common, files } from "dropbox";
import type { Clock } from "../../clock.ts";
import { type Content, textContent } from "../content.ts";
import { FileTree, type Revision, type TreeNode } from "../file-tree.ts";
import { mediaTypeOf } from "../media-type.ts";
import type { StandInAccount, StandInEntry } from "../stand-in.ts";
import { userIdOf } from "./account-ids.ts";
import { conflict, MALFORMED_PATH } from "./errors.ts";

export interface DropboxDetail {
  readonly tags: string[];
  /** A document that has no bytes of its own: it is only exported, in these formats; the first is the default. */
  readonly exports?: string[] | undefined;
}

export type DropboxNode = TreeNode<DropboxDetail>;

/** A change that list_folder cursors report. */
export interface Change {
  readonly sequence: number;
  readonly path: string;
  readonly isDeletion: boolean;
}

/** A deleted file or folder, with its last path. */
export interface Deleted {
  readonly path: string;
  readonly node: DropboxNode;
  readonly at: number;
}

/**
 * An account's state at the end of an earlier run. It has no changes, because the cursors of that run are
 * not valid any more.
 */
export interface EarlierRun {
  readonly tree: FileTree<DropboxDetail>;
  readonly deleted: readonly Deleted[];
  readonly sequence: number;
  readonly homeId?: string | undefined;
}

/** Writes throw this error; each endpoint wraps it into its own union. */
export class WriteRefused extends Error {
  readonly reason: files.WriteError;
  constructor(reason: files.WriteError) {
    super(reason[".tag"]);
    this.reason = reason;
  }
}

/** The space of a Basic account (users/get_space_usage). */
export const ALLOCATED_BYTES = 2 * 1024 ** 3;
const MAX_CHANGES = 10_000;
const MAX_DELETED = 1000;
/** https://help.dropbox.com/sync/files-not-syncing */
const DISALLOWED = /^(desktop\.ini|thumbs\.db|\.ds_store|icon\r|\.dropbox|\.dropbox\.attr)$/i;

/**
 * One account: paths are case-insensitive but keep their case, and the children of a folder have different
 * names.
 */
export class DropboxAccount implements StandInAccount {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly tree: FileTree<DropboxDetail>;
  /** By lower-case path; the newest deletion is last. */
  readonly deleted = new Map<string, Deleted>();
  /** The member folder of a member of a team with a team space: the root is the team space. */
  homeId: string | undefined;
  readonly #clock: Clock;
  #changes: Change[] = [];
  #sequence = 0;
  readonly #changing = new EventEmitter().setMaxListeners(0);

  constructor(account: StandInAccount, clock: Clock, earlier?: EarlierRun) {
    this.login = account.login;
    this.name = account.name;
    this.email = account.email;
    this.#clock = clock;
    this.tree = earlier?.tree ?? new FileTree<DropboxDetail>(this.#node("", undefined, true));
    this.#sequence = earlier?.sequence ?? 0;
    this.homeId = earlier?.homeId;
    for (const each of earlier?.deleted ?? []) this.deleted.set(each.path.toLowerCase(), each);
  }

  now(): number {
    return this.#clock.now();
  }

  get homeNamespace(): string {
    return userIdOf(this.login);
  }

  get rootNamespace(): string {
    return this.homeId === undefined ? this.homeNamespace : userIdOf(`team of ${this.login}`);
  }

  /** Path of the user's own folder in the tree; empty: the root. */
  get homePath(): string {
    const home = this.homeId === undefined ? undefined : this.tree.get(this.homeId);
    return home === undefined ? "" : this.tree.pathOf(home);
  }

  get rootInfo(): common.TeamRootInfoReference | common.UserRootInfoReference {
    const namespaces = { root_namespace_id: this.rootNamespace, home_namespace_id: this.homeNamespace };
    if (this.homeId === undefined) return { ".tag": "user", ...namespaces };
    return { ".tag": "team", ...namespaces, home_path: this.homePath };
  }

  /** Makes the user a member of a team with a team space. The user's files are in the member folder from then on. */
  joinTeamSpace(): void {
    if (this.homeId !== undefined) return;
    const own = this.tree.children(this.tree.root.id);
    const home = this.#add(this.name, this.tree.root, true);
    for (const node of own) this.move(node, `/${this.name}/${node.name}`);
    this.homeId = home.id;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** Changes after a sequence number; undefined if some of them are no longer stored. */
  changesAfter(sequence: number): readonly Change[] | undefined {
    const first = this.#changes[0]?.sequence ?? this.#sequence + 1;
    return sequence + 1 < first ? undefined : this.#changes.filter((change) => change.sequence > sequence);
  }

  /** Resolves at the first change after a sequence number, at the latest after `timeoutMs` real milliseconds. */
  async changedAfter(sequence: number, timeoutMs: number): Promise<void> {
    if (this.#sequence > sequence) return;
    await once(this.#changing, "change", { signal: AbortSignal.timeout(timeoutMs) }).catch(() => {});
  }

  /** The node at `/a/b`, in upper or lower case; `""` is the root. */
  at(path: string): DropboxNode | undefined {
    let node: DropboxNode | undefined = this.tree.root;
    for (const name of path.split("/").slice(1)) node = node && this.child(node, name);
    return node;
  }

  child(folder: DropboxNode, name: string): DropboxNode | undefined {
    const key = name.toLowerCase();
    return this.tree.children(folder.id).find((node) => node.name.toLowerCase() === key);
  }

  /** Makes a folder and its missing parents. @throws {WriteRefused} */
  folderAt(path: string): DropboxNode {
    checkPath(path);
    let node = this.tree.root;
    for (const name of path.split("/").slice(1)) {
      const next = this.child(node, name);
      if (next !== undefined && !next.directory) throw new WriteRefused(conflict("file_ancestor"));
      node = next ?? this.#add(name, node, true);
    }
    return node;
  }

  /** Writes a new file, or a new revision of an existing file. @throws {WriteRefused} */
  write(path: string, content: Content, clientModifiedAt: number): DropboxNode {
    checkPath(path);
    const parent = this.folderAt(parentPath(path));
    const existing = this.child(parent, nameOf(path));
    const freed = existing?.revisions.at(-1)?.content.size ?? 0;
    if (this.tree.usedBytes() - freed + content.size > ALLOCATED_BYTES || this.tree.isFull()) {
      throw new WriteRefused({ ".tag": "insufficient_space" });
    }
    if (existing?.directory === true) throw new WriteRefused(conflict("folder"));
    // What the vendor does here is not documented.
    if (existing?.detail.exports !== undefined) throw new WriteRefused(conflict("file"));
    const node = existing ?? this.#add(nameOf(path), parent, false);
    this.tree.addRevision(node, this.revision(content, clientModifiedAt, node.name));
    this.#changed(node, false);
    return node;
  }

  /** Adds a file that another person shares and that is in no folder of this account: it has an id, and no path. */
  addUnmounted(name: string, content: Content): DropboxNode {
    const node = this.#node(name, undefined, false);
    this.tree.add(node);
    this.tree.addRevision(node, this.revision(content, this.now(), name));
    return node;
  }

  /** A folder of the team beside the member's own, with one file in it. */
  addTeamSpace(folder: string, file: string): { folder: string; file: string } {
    this.joinTeamSpace();
    const made = this.write(`/${folder}/${file}`, textContent(`of ${folder}`), this.now());
    return { folder: made.parentId ?? "", file: made.id };
  }

  /** Adds a Paper document to the root folder. */
  addDocument(name: string, content: Content): DropboxNode {
    const detail = { tags: [], exports: ["markdown", "html", "plain_text"] };
    const node = { ...this.#node(name, this.tree.root.id, false), detail };
    this.tree.add(node);
    this.tree.addRevision(node, this.revision(content, this.now(), name));
    this.#changed(node, false);
    return node;
  }

  isMounted(node: DropboxNode): boolean {
    return node === this.tree.root || node.parentId !== undefined;
  }

  revision(content: Content, clientModifiedAt: number, name: string): Revision {
    this.#sequence += 1;
    const id = `01${(0x6000000000000 + this.#sequence).toString(16)}${randomBytes(6).toString("hex")}`;
    return { id, content, mediaType: mediaTypeOf(name), storedAt: this.now(), clientModifiedAt };
  }

  remove(node: DropboxNode): void {
    for (const each of [node, ...this.tree.below(node.id)]) this.#forget(each);
    this.tree.remove(node);
  }

  /** Moves a node with all nodes below it to a free path. */
  move(node: DropboxNode, path: string): void {
    const parent = this.folderAt(parentPath(path));
    for (const each of [node, ...this.tree.below(node.id)]) this.#changed(each, true);
    this.tree.move(node, parent.id, nameOf(path));
    for (const each of [node, ...this.tree.below(node.id)]) this.#changed(each, false);
  }

  /** Copies a node with all nodes below it to a free path. Copies have new ids. */
  copy(node: DropboxNode, path: string): DropboxNode {
    const size = [node, ...this.tree.below(node.id)].reduce((sum, each) => sum + sizeOf(each), 0);
    if (this.tree.usedBytes() + size > ALLOCATED_BYTES || this.tree.isFull()) {
      throw new WriteRefused({ ".tag": "insufficient_space" });
    }
    const copy = this.#add(nameOf(path), this.folderAt(parentPath(path)), node.directory);
    const newest = node.revisions.at(-1);
    if (newest !== undefined) {
      this.tree.addRevision(copy, this.revision(newest.content, newest.clientModifiedAt, copy.name));
    }
    for (const child of this.tree.children(node.id)) this.copy(child, `${path}/${child.name}`);
    return copy;
  }

  /** The first free path of `name.ext`, `name (1).ext`, `name (2).ext` and so on. */
  freePath(path: string): string {
    if (this.at(path) === undefined) return path;
    const [, stem = path, extension = ""] = /^(.*?)(\.[^./]*)?$/s.exec(path) ?? [];
    let count = 1;
    while (this.at(`${stem} (${count})${extension}`) !== undefined) count += 1;
    return `${stem} (${count})${extension}`;
  }

  entries(): StandInEntry[] {
    return [...this.tree.below(this.tree.root.id)]
      .map((node) => ({ path: this.tree.pathOf(node), directory: node.directory, size: sizeOf(node) }))
      .sort((left, right) => (left.path < right.path ? -1 : 1));
  }

  #add(name: string, parent: DropboxNode, directory: boolean): DropboxNode {
    if (this.tree.isFull()) throw new WriteRefused({ ".tag": "insufficient_space" });
    const node = this.#node(name, parent.id, directory);
    this.tree.add(node);
    this.#changed(node, false);
    return node;
  }

  #node(name: string, parentId: string | undefined, directory: boolean): DropboxNode {
    const now = this.now();
    const id = `id:${randomBytes(16).toString("base64url")}`;
    return {
      id,
      name,
      parentId,
      directory,
      revisions: [],
      createdAt: now,
      modifiedAt: now,
      detail: { tags: [] },
    };
  }

  #forget(node: DropboxNode): void {
    const path = this.tree.pathOf(node);
    this.deleted.delete(path.toLowerCase());
    this.deleted.set(path.toLowerCase(), { path, node, at: this.now() });
    const [oldest] = this.deleted.keys();
    if (this.deleted.size > MAX_DELETED && oldest !== undefined) this.deleted.delete(oldest);
    this.#changed(node, true);
  }

  #changed(node: DropboxNode, isDeletion: boolean): void {
    const path = this.tree.pathOf(node);
    this.#sequence += 1;
    this.#changes.push({ sequence: this.#sequence, path, isDeletion });
    if (this.#changes.length > MAX_CHANGES) this.#changes = this.#changes.slice(-MAX_CHANGES / 2);
    if (!isDeletion) this.deleted.delete(path.toLowerCase());
    this.#changing.emit("change");
  }
}

function sizeOf(node: DropboxNode): number {
  return node.revisions.at(-1)?.content.size ?? 0;
}

function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * Checks a new path. Documented: components have at most 255 characters, are not empty and have no space at
 * the end (https://github.com/dropbox/dropbox-sdk-java/issues/229, rclone's Dropbox page). Version 1
 * refused a backslash; version 2 documents nothing, so a backslash is accepted.
 * @throws {WriteRefused}
 */
export function checkPath(path: string): void {
  if (path === "") return;
  for (const name of path.split("/").slice(1)) {
    if (name === "" || name === "." || name === ".." || name.length > 255 || /[\0\x7f]| $/.test(name)) {
      throw new WriteRefused(MALFORMED_PATH);
    }
    if (DISALLOWED.test(name)) throw new WriteRefused({ ".tag": "disallowed_name" });
  }
}
