import type { DueIndex, InstanceStore, InstanceSuspension } from "../core/instances/instance-store.ts";
import type { PendingLists, PendingRemoval, PendingSignIns } from "../core/instances/pending-store.ts";
import { dueIndex } from "./due-index.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import { instanceCreation } from "./instance-creation.ts";
import { instanceItems } from "./instance-items.ts";
import { instanceLists } from "./instance-lists.ts";
import { instanceRemoval } from "./instance-removal.ts";
import { instanceResealing } from "./instance-resealing.ts";
import { instanceSiblings } from "./instance-siblings.ts";
import { instanceSuspension } from "./instance-suspension.ts";
import { pendingLists } from "./pending-lists.ts";
import { pendingRemoval } from "./pending-removal.ts";
import { pendingSignIns } from "./pending-sign-ins.ts";

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

/** All of the pending sign-ins in the same table, for operators and tests. */
export function pendingTable(options: InstanceTableOptions): PendingSignIns & PendingRemoval & PendingLists {
  return { ...pendingSignIns(options), ...pendingRemoval(options), ...pendingLists(options) };
}
