import type { PendingKey, PendingSignIn } from "../core/instances/pending-sign-in.ts";
import { shardOf } from "./instance-item.ts";

/** Begins the sort keys of all pending sign-ins of an instance. */
export const PENDING_PREFIX = "pending#";

/** Sort key of a pending sign-in in the instances table. */
export function pendingItem({ sessionId, epoch }: Pick<PendingKey, "sessionId" | "epoch">): string {
  return `${PENDING_PREFIX}${sessionId}#${epoch}`;
}

export function pendingTableKey(key: PendingKey): { instanceId: number; item: string } {
  return { instanceId: key.instanceId, item: pendingItem(key) };
}

/** What a sort key names, where it is a pending sign-in's. */
export function readPendingItem(item: string): Pick<PendingKey, "sessionId" | "epoch"> | undefined {
  const [prefix, sessionId, epoch] = item.split("#");
  if (prefix !== "pending" || sessionId === undefined || epoch === undefined) return undefined;
  return { sessionId, epoch };
}

/**
 * A pending sign-in as it lies in the table. Its organization stands in `organization`, and not in `organizationId` as an
 * instance's: the index of that name lists instances, whatever version of the code asks it. For the operator the `owner` index
 * lists pending sign-ins under a key that no user has. `~` sorts after every user's key, so that whoever asks the `consent`
 * index for two keys at most gets the instances first.
 */
export type StoredPending = Omit<PendingSignIn, "organizationId"> & {
  readonly item: string;
  readonly organization: string;
  readonly refreshShard: number;
  readonly dueAt: number;
  readonly ownerKey: string;
  readonly ownerSort: string;
};

export function pendingOwnerKey(organizationId: string): string {
  return `~pending#${organizationId}`;
}

export function storedPending(pending: PendingSignIn, shards: number): StoredPending {
  const { organizationId, ...rest } = pending;
  return {
    ...rest,
    item: pendingItem(pending),
    organization: organizationId,
    dueAt: pending.dueAt ?? pending.endsAt,
    refreshShard: shardOf(pending.instanceId, shards),
    ownerKey: pendingOwnerKey(organizationId),
    ownerSort: `${String(pending.at).padStart(15, "0")}#${pending.instanceId}#${pending.sessionId}`,
  };
}

export function pendingOf(stored: StoredPending): PendingSignIn {
  const { item, organization, refreshShard, ownerKey, ownerSort, ...rest } = stored;
  return { ...rest, organizationId: organization };
}
