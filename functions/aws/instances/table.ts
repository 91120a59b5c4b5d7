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
 * The whole instances table, for operators and tests. Functions use single parts, because each part needs its
 * own permissions (composition.ts).
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

/** All calls for pending sign-ins, which are in the same table; for operators and tests. */
export function pendingTable(options: InstanceTableOptions): PendingSignIns & PendingRemoval & PendingLists {
  return { ...pendingSignIns(options), ...pendingRemoval(options), ...pendingLists(options) };
}
