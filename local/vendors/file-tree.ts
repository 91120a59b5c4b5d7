import type { Content } from "./content.ts";

/** One stored version of a file's bytes. */
export interface Revision {
  readonly id: string;
  readonly content: Content;
  readonly mediaType: string;
  /** Epoch milliseconds: the vendor's time of storage, and the time that the client sent. */
  readonly storedAt: number;
  readonly clientModifiedAt: number;
}

/** A file or a folder. `Detail` has one vendor's additional data. */
export interface TreeNode<Detail> {
  readonly id: string;
  name: string;
  /** Undefined for the root. */
  parentId: string | undefined;
  readonly directory: boolean;
  /** Oldest first; empty for a folder. */
  readonly revisions: Revision[];
  readonly createdAt: number;
  modifiedAt: number;
  readonly detail: Detail;
}

/** Limits, so that a test with an endless loop does not use all memory. */
const MAX_NODES = 50_000;
const MAX_REVISIONS = 100;

/**
 * One account's files: nodes by id, each below one parent. Names may repeat below a parent; a vendor's code
 * that forbids this checks before it adds a node.
 */
export class FileTree<Detail> {
  readonly root: TreeNode<Detail>;
  readonly #nodes = new Map<string, TreeNode<Detail>>();
  readonly #children = new Map<string, Set<string>>();

  constructor(root: TreeNode<Detail>) {
    this.root = root;
    this.#nodes.set(root.id, root);
  }

  get(id: string): TreeNode<Detail> | undefined {
    return this.#nodes.get(id);
  }

  children(id: string): TreeNode<Detail>[] {
    return [...(this.#children.get(id) ?? [])].map((child) => this.#known(child));
  }

  /** All nodes below a node, parents before their children, without the node itself. */
  *below(id: string): Generator<TreeNode<Detail>> {
    for (const child of this.children(id)) {
      yield child;
      yield* this.below(child.id);
    }
  }

  add(node: TreeNode<Detail>): void {
    this.#nodes.set(node.id, node);
    if (node.parentId !== undefined) this.#childSet(node.parentId).add(node.id);
  }

  move(node: TreeNode<Detail>, parentId: string, name: string): void {
    if (node.parentId !== undefined) this.#childSet(node.parentId).delete(node.id);
    node.parentId = parentId;
    node.name = name;
    this.#childSet(parentId).add(node.id);
  }

  /** Removes a node with all nodes below it. */
  remove(node: TreeNode<Detail>): void {
    for (const child of this.children(node.id)) this.remove(child);
    if (node.parentId !== undefined) this.#childSet(node.parentId).delete(node.id);
    this.#children.delete(node.id);
    this.#nodes.delete(node.id);
  }

  addRevision(node: TreeNode<Detail>, revision: Revision): void {
    node.revisions.push(revision);
    if (node.revisions.length > MAX_REVISIONS) node.revisions.shift();
    node.modifiedAt = revision.storedAt;
  }

  /** Also true for the node itself. */
  isInside(node: TreeNode<Detail>, ancestor: TreeNode<Detail>): boolean {
    for (let at: TreeNode<Detail> | undefined = node; at !== undefined; at = this.parent(at)) {
      if (at.id === ancestor.id) return true;
    }
    return false;
  }

  parent(node: TreeNode<Detail>): TreeNode<Detail> | undefined {
    return node.parentId === undefined ? undefined : this.#nodes.get(node.parentId);
  }

  /** `/a/b`; the root is the empty string. */
  pathOf(node: TreeNode<Detail>): string {
    const parent = this.parent(node);
    return parent === undefined ? "" : `${this.pathOf(parent)}/${node.name}`;
  }

  /** Bytes of the newest versions. */
  usedBytes(): number {
    let sum = 0;
    for (const node of this.#nodes.values()) sum += node.revisions.at(-1)?.content.size ?? 0;
    return sum;
  }

  isFull(): boolean {
    return this.#nodes.size >= MAX_NODES;
  }

  *all(): Generator<TreeNode<Detail>> {
    yield* this.#nodes.values();
  }

  #known(id: string): TreeNode<Detail> {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id} in the tree`);
    return node;
  }

  #childSet(id: string): Set<string> {
    const set = this.#children.get(id) ?? new Set<string>();
    this.#children.set(id, set);
    return set;
  }
}
