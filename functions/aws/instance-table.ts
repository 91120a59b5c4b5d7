import type { DueIndex, InstanceStore, InstanceSuspension } from "../core/grant/ports.ts";
import { dueIndex } from "./due-index.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import { instanceCreation } from "./instance-creation.ts";
import { instanceItems } from "./instance-items.ts";
import { instanceLists } from "./instance-lists.ts";
import { instanceRemoval } from "./instance-removal.ts";
import { instanceResealing } from "./instance-resealing.ts";
import { instanceSiblings } from "./instance-siblings.ts";
import { instanceSuspension } from "./instance-suspension.ts";

export type { InstanceTableOptions } from "./instance-change.ts";

/**
 * The whole instances table, for operators and tests. Functions take the parts that they use, each of which needs its own
 * permissions: see parts.ts.
 */
export function instanceTable(options: InstanceTableOptions): InstanceStore & InstanceSuspension & DueIndex {
  return {
    ...dueIndex(options),
    ...instanceItems(options),
    ...instanceCreation(options),
    ...instanceRemoval(options),
    ...instanceSiblings(options),
    ...instanceResealing(options),
    ...instanceSuspension(options),
    ...instanceLists(options),
  };
}
