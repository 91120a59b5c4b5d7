import type { DueIndex, InstanceStore, InstanceSuspension } from "../../core/instances/instance-store.ts";
import type { PendingLists, PendingRemoval, PendingSignIns } from "../../core/instances/pending-store.ts";
import { dueIndex, instanceLists, instanceSiblings } from "./indexes.ts";
import {
  instanceCreation,
  instanceItems,
  instanceRemoval,
  instanceResealing,
  instanceSuspension,
} from "./items.ts";
import { pendingLists, pendingRemoval, pendingSignIns } from "./pending.ts";
import type { InstanceTableOptions } from "./update-item.ts";

/**
 * The whole instances table, for operators and tests. Functions take the parts that they use, each of which needs its own
 * permissions: composition.ts.
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
