import type { Instance } from "../../core/instances/instance.ts";
import type { InstanceSummary } from "../../core/instances/instance-store.ts";

/** An item of the instances table, as the document client returns it. */
export type InstanceItem = Omit<Instance, "id"> & {
  readonly instanceId: number;
  readonly item: "instance";
  /** Partition of the `owner` index, and sort key of `consent`; absent while the instance is being deleted. */
  readonly ownerKey?: string;
  /** Sort key of the `owner` and `organization` indexes: by age. */
  readonly ownerSort: string;
};

export const instanceKey = (id: number): { instanceId: number; item: "instance" } => ({
  instanceId: id,
  item: "instance",
});

export function ownerKeyOf(organizationId: string, userId: string): string {
  return `${organizationId}#${userId}`;
}

/** The remainder spreads the ids evenly over the shards, because ids are random. */
export function shardOf(id: number, shards: number): number {
  return id % shards;
}

export function itemOf(instance: Instance, shards: number): InstanceItem {
  const { id, refreshShard, dueAt, ...rest } = instance;
  return {
    ...instanceKey(id),
    ...rest,
    // The due index is sparse: only an item with both attributes is on it.
    ...(dueAt === undefined ? {} : { dueAt, refreshShard: shardOf(id, shards) }),
    ...(instance.deleting === true ? {} : { ownerKey: ownerKeyOf(instance.organizationId, instance.userId) }),
    ownerSort: `${String(instance.createdAt).padStart(15, "0")}#${id}`,
  };
}

export function instanceOf(item: InstanceItem): Instance {
  const { instanceId, item: _, ownerKey, ownerSort, ...rest } = item;
  return { id: instanceId, ...rest };
}

export function summaryOf(item: Record<string, unknown>): InstanceSummary {
  const { instanceId, userId, connector, name, tags, createdAt } = item as unknown as InstanceItem;
  return { id: instanceId, userId, connector, name, tags, createdAt };
}

/** Writes a key as a cursor. A key holds only strings and numbers, so JSON can represent it. */
export function writeCursor(key: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

export function readCursor(cursor: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")) as Record<string, unknown>;
}
