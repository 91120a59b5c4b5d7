import * as v from "valibot";
import { FileTree, type TreeNode } from "../file-tree.ts";
import { KEPT_CONTENT, type KeptContents } from "./kept-contents.ts";

const REVISION = v.strictObject({
  id: v.string(),
  content: KEPT_CONTENT,
  mediaType: v.string(),
  storedAt: v.number(),
  clientModifiedAt: v.number(),
});

/** The stored form of a node, with the stored form of its vendor's detail. */
export function keptNode<Kept>(detail: v.GenericSchema<unknown, Kept>) {
  return v.strictObject({
    id: v.string(),
    name: v.string(),
    parentId: v.optional(v.string()),
    directory: v.boolean(),
    revisions: v.array(REVISION),
    createdAt: v.number(),
    modifiedAt: v.number(),
    detail,
  });
}

type KeptNode<Kept> = v.InferOutput<ReturnType<typeof keptNode<Kept>>>;

/** Converts a vendor's detail of a node to its stored form and back. */
export interface DetailForm<Detail, Kept> {
  keep(detail: Detail): Kept;
  restore(kept: Kept): Detail;
}

export function keepNode<Detail, Kept>(
  node: TreeNode<Detail>,
  form: DetailForm<Detail, Kept>,
  contents: KeptContents,
): KeptNode<Kept> {
  return {
    ...node,
    revisions: node.revisions.map((revision) => ({ ...revision, content: contents.keep(revision.content) })),
    detail: form.keep(node.detail),
  };
}

export function restoreNode<Detail, Kept>(
  kept: KeptNode<Kept>,
  form: DetailForm<Detail, Kept>,
  contents: KeptContents,
): TreeNode<Detail> {
  return {
    ...kept,
    parentId: kept.parentId,
    revisions: kept.revisions.map((revision) => ({
      ...revision,
      content: contents.content(revision.content),
    })),
    detail: form.restore(kept.detail),
  };
}

/** All nodes below the root, the root first, parents before their children; or those below several `roots`. */
export function keepTree<Detail, Kept>(
  tree: FileTree<Detail>,
  form: DetailForm<Detail, Kept>,
  contents: KeptContents,
  roots: readonly TreeNode<Detail>[] = [tree.root],
): KeptNode<Kept>[] {
  return roots
    .flatMap((node) => [node, ...tree.below(node.id)])
    .map((node) => keepNode(node, form, contents));
}

/** @throws {Error} no earlier node is the parent of a node */
export function restoreTree<Detail, Kept>(
  nodes: readonly KeptNode<Kept>[],
  form: DetailForm<Detail, Kept>,
  contents: KeptContents,
): FileTree<Detail> {
  const [root, ...others] = nodes.map((node) => restoreNode(node, form, contents));
  if (root === undefined || root.parentId !== undefined) throw new Error("a tree has no root");
  const tree = new FileTree(root);
  for (const node of others) {
    if (node.parentId !== undefined && tree.get(node.parentId)?.directory !== true) {
      throw new Error(`${node.id} is not in a folder`);
    }
    tree.add(node);
  }
  return tree;
}
