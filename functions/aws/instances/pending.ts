import { DeleteCommand, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { PendingKey, PendingSignIn } from "../../core/instances/pending-sign-in.ts";
import type { PendingLists, PendingRemoval, PendingSignIns } from "../../core/instances/pending-store.ts";
import { conditionHeld } from "../conditional-write.ts";
import { readingOf } from "../store-time.ts";
import { readCursor, shardOf, writeCursor } from "./item.ts";
import { type Change, type InstanceTableOptions, updateItem } from "./update-item.ts";

/** Prefix of the sort keys of all pending sign-ins of an instance. */
const PENDING_PREFIX = "pending#";

/** Sort key of a pending sign-in in the instances table. */
export function pendingItem({ sessionId, epoch }: Pick<PendingKey, "sessionId" | "epoch">): string {
  return `${PENDING_PREFIX}${sessionId}#${epoch}`;
}

function pendingTableKey(key: PendingKey): { instanceId: number; item: string } {
  return { instanceId: key.instanceId, item: pendingItem(key) };
}

/**
 * Reads session and epoch from a pending sign-in's sort key; `undefined`: the key belongs to another kind of
 * item.
 */
export function readPendingItem(item: string): Pick<PendingKey, "sessionId" | "epoch"> | undefined {
  const [prefix, sessionId, epoch] = item.split("#");
  if (prefix !== "pending" || sessionId === undefined || epoch === undefined) return undefined;
  return { sessionId, epoch };
}

/**
 * A pending sign-in as the table stores it. Its organization is in the attribute `organization`, not in
 * `organizationId`, so that the index over `organizationId` lists instances only, also in older versions of
 * the code. For the operator, the `owner` index lists pending sign-ins under a key that no user has. `~`
 * sorts after every user's key, so that a query of the `consent` index returns instances before pending
 * sign-ins.
 */
type StoredPending = Omit<PendingSignIn, "organizationId"> & {
  readonly item: string;
  readonly organization: string;
  readonly refreshShard: number;
  readonly dueAt: number;
  readonly ownerKey: string;
  readonly ownerSort: string;
};

function pendingOwnerKey(organizationId: string): string {
  return `~pending#${organizationId}`;
}

function storedPending(pending: PendingSignIn, shards: number): StoredPending {
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

function pendingOf(stored: StoredPending): PendingSignIn {
  const { item, organization, refreshShard, ownerKey, ownerSort, ...rest } = stored;
  return { ...rest, organizationId: organization };
}

const EXISTS = "attribute_exists(#instanceId)";
const NOT_ENDING = "attribute_not_exists(#endingSince)";

/**
 * Pending sign-ins, in the table of the instances. Needs GetItem, PutItem, UpdateItem, and Query on the table
 * itself.
 */
export function pendingSignIns(options: InstanceTableOptions): PendingSignIns {
  const { client, tableName, shards } = options;
  const change = (key: PendingKey, what: Change) =>
    updateItem(options, key.instanceId, what, pendingItem(key));
  return {
    async get(key) {
      const output = await client.send(
        new GetCommand({ TableName: tableName, Key: pendingTableKey(key), ConsistentRead: true }),
      );
      const value = output.Item === undefined ? undefined : pendingOf(output.Item as StoredPending);
      return { value, reading: readingOf(output) };
    },

    async ofInstance(instanceId) {
      // One page is enough: an instance has few pending sign-ins, because each one ends within half an hour.
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "instanceId = :id AND begins_with(#item, :prefix)",
          ExpressionAttributeNames: { "#item": "item" },
          ExpressionAttributeValues: { ":id": instanceId, ":prefix": PENDING_PREFIX },
          ConsistentRead: true,
        }),
      );
      return Items.map((item) => pendingOf(item as StoredPending));
    },

    put: (pending) =>
      conditionHeld(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: storedPending(pending, shards),
            ConditionExpression: "attribute_not_exists(instanceId)",
          }),
        ),
      ),

    noteAccount: (key, noted) => change(key, { set: { ...noted }, condition: `${EXISTS} AND ${NOT_ENDING}` }),

    markClaimed: (key, { at, ...rest }) =>
      change(key, {
        set: { ...rest },
        setOnce: { claimedAt: at },
        remove: ["dueSince"],
        condition: `${EXISTS} AND ${NOT_ENDING}`,
      }),

    markEnding: (key, now, claimedToo = false) =>
      change(key, {
        set: { dueAt: now },
        setOnce: { endingSince: now },
        remove: ["dueSince", "consentKey"],
        condition: claimedToo ? EXISTS : `${EXISTS} AND attribute_not_exists(#claimedAt)`,
      }),

    setDueAt: (key, to) => change(key, { set: { dueAt: to }, remove: ["dueSince"], condition: EXISTS }),
  };
}

/** Deletes a pending sign-in, for the worker. Needs DeleteItem. */
export function pendingRemoval({ client, tableName }: InstanceTableOptions): PendingRemoval {
  return {
    async remove(key) {
      await client.send(new DeleteCommand({ TableName: tableName, Key: pendingTableKey(key) }));
    },
  };
}

/** An organization's pending sign-ins, for the operator. Needs Query on the `owner` index. */
export function pendingLists({ client, tableName }: InstanceTableOptions): PendingLists {
  return {
    async listPendings(organizationId, { after, limit = 200 } = {}) {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: "owner",
          KeyConditionExpression: "ownerKey = :owner",
          ExpressionAttributeValues: { ":owner": pendingOwnerKey(organizationId) },
          Limit: limit,
          ...(after === undefined ? {} : { ExclusiveStartKey: readCursor(after) }),
        }),
      );
      const items = Items.flatMap(({ instanceId, item }): PendingKey[] => {
        const named = readPendingItem(item as string);
        return named === undefined ? [] : [{ instanceId: instanceId as number, ...named }];
      });
      return { items, ...(LastEvaluatedKey === undefined ? {} : { next: writeCursor(LastEvaluatedKey) }) };
    },
  };
}
