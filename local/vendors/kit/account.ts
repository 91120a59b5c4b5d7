import type { Clock } from "../../clock.ts";
import type { Content } from "../content.ts";
import { FileTree, type Revision, type TreeNode } from "../file-tree.ts";
import { mediaTypeOf } from "../media-type.ts";
import type { StandInAccount, StandInEntry } from "../stand-in.ts";
import type { ItemAction, SwitchBoard } from "./switches.ts";
import { TreeRefused } from "./tree-refused.ts";

/** The kit's data of an item, and the vendor's own data, which must be plain JSON. */
export interface KitDetail<Own> {
  /** Grows with each change of the item. */
  etag: number;
  /** When the search finds the item under its present name, apart from the search's lag; epoch milliseconds. */
  namedAt: number;
  own: Own;
}

export type KitNode<Own> = TreeNode<KitDetail<Own>>;

/** An item in the trash, with all items below it, parents first. */
export interface Trashed<Own> {
  readonly nodes: readonly KitNode<Own>[];
  /** The folder it was in. */
  readonly parentId: string | undefined;
  readonly at: number;
}

export interface NameRules {
  /** Names that differ only in the case of letters are the same. */
  readonly ignoresCase: boolean;
  /** Names that differ only in composed and decomposed letters are the same. */
  readonly ignoresComposition: boolean;
  /** A folder may have several items of one name. */
  readonly allowsDuplicates: boolean;
  /** The vendor's rule that a name breaks, if it breaks one. */
  refuse?(name: string, isFolder: boolean): string | undefined;
}

/** What the vendor's items are like. */
export interface TreeRules<Own> {
  readonly names: NameRules;
  readonly quotaBytes: number;
  readonly rootName: string;
  /** A new id. `number` is different for each id of the stand-in, and grows. */
  newId(kind: "root" | "folder" | "file" | "version", number: number): string;
  /** The vendor's data of a new item. */
  newDetail(kind: "folder" | "file"): Own;
  /** The vendor's data of a copy; absent: as for a new item. */
  copiedDetail?(own: Own): Own;
}

const MAX_TRASHED = 1000;

/** One account's files at a vendor that is made with the kit. Every method may throw `TreeRefused`. */
export class KitAccount<Own> implements StandInAccount {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly tree: FileTree<KitDetail<Own>>;
  /** By the id of the topmost item; the newest is last. */
  readonly trash = new Map<string, Trashed<Own>>();
  readonly #rules: TreeRules<Own>;
  readonly #clock: Clock;
  readonly #switches: SwitchBoard;
  readonly #nextNumber: () => number;

  constructor(
    { login, name, email }: StandInAccount,
    parts: {
      readonly rules: TreeRules<Own>;
      readonly clock: Clock;
      readonly switches: SwitchBoard;
      readonly nextNumber: () => number;
      /** The account's tree at the end of an earlier run. */
      readonly earlier?: FileTree<KitDetail<Own>> | undefined;
    },
  ) {
    this.login = login;
    this.name = name;
    this.email = email;
    this.#rules = parts.rules;
    this.#clock = parts.clock;
    this.#switches = parts.switches;
    this.#nextNumber = parts.nextNumber;
    this.tree = parts.earlier ?? new FileTree(this.#node(parts.rules.rootName, undefined, "root"));
  }

  now(): number {
    return this.#clock.now();
  }

  get root(): KitNode<Own> {
    return this.tree.root;
  }

  /** The folders that an item is in, from the root down. */
  foldersAbove(node: KitNode<Own>): KitNode<Own>[] {
    const folders: KitNode<Own>[] = [];
    for (let at = this.tree.parent(node); at !== undefined; at = this.tree.parent(at)) folders.unshift(at);
    return folders;
  }

  /** Bytes of a file, or of all files in a folder. */
  sizeOf(node: KitNode<Own>): number {
    return [node, ...this.tree.below(node.id)].reduce((sum, each) => sum + sizeOf(each), 0);
  }

  /** The newest one of a name. */
  child(folder: KitNode<Own>, name: string): KitNode<Own> | undefined {
    const key = this.#key(name);
    return this.tree
      .children(folder.id)
      .filter((node) => this.#key(node.name) === key)
      .reduce<KitNode<Own> | undefined>(
        (newest, node) => (newest === undefined || node.modifiedAt >= newest.modifiedAt ? node : newest),
        undefined,
      );
  }

  /** The node at `/a/b` below `from`; an empty path, and `/`, is `from` itself. */
  at(path: string, from: KitNode<Own> = this.root): KitNode<Own> | undefined {
    let node: KitNode<Own> | undefined = from;
    for (const name of namesOf(path)) node = node?.directory ? this.child(node, name) : undefined;
    return node;
  }

  addFolder(parent: KitNode<Own>, name: string): KitNode<Own> {
    this.#checkPlace(parent, name, true);
    return this.#add(parent, name, "folder");
  }

  /** Makes the missing folders of a path. */
  folderAt(path: string, from: KitNode<Own> = this.root): KitNode<Own> {
    let node = from;
    for (const name of namesOf(path)) node = this.child(node, name) ?? this.addFolder(node, name);
    if (!node.directory) throw new TreeRefused({ kind: "not_a_folder" });
    return node;
  }

  addFile(parent: KitNode<Own>, name: string, content: Content, clientModifiedAt?: number): KitNode<Own> {
    this.#checkPlace(parent, name, false);
    this.#checkSpace(content.size);
    const node = this.#add(parent, name, "file");
    this.tree.addRevision(node, this.#revision(name, content, clientModifiedAt));
    return node;
  }

  /** A file or folder that another person shares and that is in no folder of this account. */
  addShared(name: string, content: Content | undefined): KitNode<Own> {
    const node = this.#node(name, undefined, content === undefined ? "folder" : "file");
    this.tree.add(node);
    if (content !== undefined) this.tree.addRevision(node, this.#revision(name, content, undefined));
    return node;
  }

  /** Stores a new version. */
  write(node: KitNode<Own>, content: Content, clientModifiedAt?: number): void {
    this.refuseIfSwitched(node, "write");
    if (node.directory) throw new TreeRefused({ kind: "not_a_file" });
    this.#checkSpace(content.size - sizeOf(node));
    this.tree.addRevision(node, this.#revision(node.name, content, clientModifiedAt));
    this.touch(node);
  }

  /** Moves and renames, each if it is given. */
  move(node: KitNode<Own>, to: { readonly parent?: KitNode<Own>; readonly name?: string }): void {
    this.refuseIfSwitched(node, "move");
    this.#refuseForeign(node, "move");
    const parent = to.parent ?? this.tree.parent(node);
    const name = to.name ?? node.name;
    if (parent === undefined) throw new TreeRefused({ kind: "not_a_folder" });
    if (this.tree.isInside(parent, node)) throw new TreeRefused({ kind: "into_itself" });
    this.#checkPlace(parent, name, node.directory, node);
    if (name !== node.name) node.detail.namedAt = this.now();
    this.tree.move(node, parent.id, name);
    this.touch(node);
  }

  /** Copies a node with all nodes below it. Copies have new ids, and the newest version only. */
  copy(node: KitNode<Own>, parent: KitNode<Own>, name: string = node.name): KitNode<Own> {
    this.refuseIfSwitched(node, "copy");
    if (this.tree.isInside(parent, node)) throw new TreeRefused({ kind: "into_itself" });
    this.#checkPlace(parent, name, node.directory);
    this.#checkSpace(this.sizeOf(node));
    return this.#copy(node, parent, name);
  }

  /** Puts a node with all nodes below it into the trash. */
  moveToTrash(node: KitNode<Own>): void {
    const nodes = this.#take(node);
    this.trash.set(node.id, { nodes, parentId: node.parentId, at: this.now() });
    const [oldest] = this.trash.keys();
    if (this.trash.size > MAX_TRASHED && oldest !== undefined) this.trash.delete(oldest);
  }

  remove(node: KitNode<Own>): void {
    this.#take(node);
  }

  /** Takes an item out of the trash, into the folder it was in, or the root if that is gone. */
  restore(id: string): KitNode<Own> | undefined {
    const trashed = this.trash.get(id);
    const [top] = trashed?.nodes ?? [];
    if (trashed === undefined || top === undefined) return undefined;
    const parent = this.tree.get(trashed.parentId ?? "") ?? this.root;
    this.#checkPlace(parent, top.name, top.directory);
    top.parentId = parent.id;
    for (const node of trashed.nodes) this.tree.add(node);
    this.trash.delete(id);
    return top;
  }

  /** Marks a change of the vendor's own data. */
  touch(node: KitNode<Own>): void {
    node.detail.etag += 1;
    node.modifiedAt = this.now();
  }

  /** Whether the search finds the item already; the switch `searchLagMs` delays it. */
  isSearchable(node: KitNode<Own>): boolean {
    return node.detail.namedAt + this.#switches.state.searchLagMs <= this.now();
  }

  refuseIfSwitched(node: KitNode<Own>, action: ItemAction): void {
    if (this.#switches.isRefused(node.name, action)) throw new TreeRefused({ kind: "refused", action });
  }

  entries(): StandInEntry[] {
    return [...this.tree.below(this.root.id)]
      .map((node) => ({
        path: this.tree.pathOf(node),
        directory: node.directory,
        size: sizeOf(node),
      }))
      .sort((left, right) => (left.path < right.path ? -1 : 1));
  }

  newVersionId(): string {
    return this.#rules.newId("version", this.#nextNumber());
  }

  #take(node: KitNode<Own>): KitNode<Own>[] {
    this.#refuseForeign(node, "delete");
    const nodes = [node, ...this.tree.below(node.id)];
    for (const each of nodes) this.refuseIfSwitched(each, "delete");
    this.tree.remove(node);
    return nodes;
  }

  /** The root, and what another person shares, in no folder of this account. */
  #refuseForeign(node: KitNode<Own>, action: ItemAction): void {
    if (node === this.root) throw new TreeRefused({ kind: "is_root" });
    if (node.parentId === undefined) throw new TreeRefused({ kind: "refused", action });
  }

  #copy(node: KitNode<Own>, parent: KitNode<Own>, name: string): KitNode<Own> {
    const children = this.tree.children(node.id);
    const copy = this.#add(parent, name, node.directory ? "folder" : "file");
    if (this.#rules.copiedDetail !== undefined) {
      copy.detail.own = this.#rules.copiedDetail(node.detail.own);
    }
    const newest = node.revisions.at(-1);
    if (newest !== undefined) {
      this.tree.addRevision(copy, this.#revision(name, newest.content, newest.clientModifiedAt));
    }
    for (const child of children) this.#copy(child, copy, child.name);
    return copy;
  }

  /** @param self the item that gets this place, if it exists already: its own name is not taken */
  #checkPlace(parent: KitNode<Own>, name: string, isFolder: boolean, self?: KitNode<Own>): void {
    if (!parent.directory) throw new TreeRefused({ kind: "not_a_folder" });
    const rule = this.#rules.names.refuse?.(name, isFolder);
    if (rule !== undefined) throw new TreeRefused({ kind: "bad_name", rule });
    if (this.#rules.names.allowsDuplicates) return;
    const taken = this.child(parent, name);
    if (taken !== undefined && taken !== self) throw new TreeRefused({ kind: "name_taken", by: taken });
  }

  #checkSpace(bytes: number): void {
    if (this.tree.isFull() || this.tree.usedBytes() + bytes > this.#rules.quotaBytes) {
      throw new TreeRefused({ kind: "no_space" });
    }
  }

  #add(parent: KitNode<Own>, name: string, kind: "folder" | "file"): KitNode<Own> {
    if (this.tree.isFull()) throw new TreeRefused({ kind: "no_space" });
    const node = this.#node(name, parent.id, kind);
    this.tree.add(node);
    return node;
  }

  #node(name: string, parentId: string | undefined, kind: "root" | "folder" | "file"): KitNode<Own> {
    const now = this.now();
    return {
      id: this.#rules.newId(kind, this.#nextNumber()),
      name,
      parentId,
      directory: kind !== "file",
      revisions: [],
      createdAt: now,
      modifiedAt: now,
      detail: { etag: 0, namedAt: now, own: this.#rules.newDetail(kind === "file" ? "file" : "folder") },
    };
  }

  #revision(name: string, content: Content, clientModifiedAt: number | undefined): Revision {
    const storedAt = this.now();
    const mediaType = mediaTypeOf(name);
    const id = this.newVersionId();
    return { id, content, mediaType, storedAt, clientModifiedAt: clientModifiedAt ?? storedAt };
  }

  #key(name: string): string {
    const { ignoresCase, ignoresComposition } = this.#rules.names;
    const composed = ignoresComposition ? name.normalize("NFC") : name;
    return ignoresCase ? composed.toLowerCase() : composed;
  }
}

export function sizeOf(node: TreeNode<unknown>): number {
  return node.revisions.at(-1)?.content.size ?? 0;
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}
