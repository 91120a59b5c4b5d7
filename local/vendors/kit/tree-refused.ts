import type { TreeNode } from "../file-tree.ts";
import type { ItemAction } from "./switches.ts";

/** Why a change of a file tree is not possible. */
export type TreeProblem =
  | { readonly kind: "name_taken"; readonly by: TreeNode<unknown> }
  | { readonly kind: "bad_name"; readonly rule: string }
  | { readonly kind: "no_space" | "not_a_folder" | "not_a_file" | "into_itself" | "is_root" }
  /** By the switch `refusals`, or because the item is another person's. */
  | { readonly kind: "refused"; readonly action: ItemAction };

/** Thrown by `KitAccount`; the kit answers it with the vendor's own error. */
export class TreeRefused extends Error {
  readonly problem: TreeProblem;
  constructor(problem: TreeProblem) {
    super(problem.kind);
    this.problem = problem;
  }
}
