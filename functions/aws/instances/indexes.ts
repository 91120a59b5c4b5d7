import { BatchGetCommand, QueryCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import type { Instance } from "../../core/instances/instance.ts";
import type {
  DueIndex,
  InstanceLists,
  InstancePage,
  InstanceSiblings,
} from "../../core/instances/instance-store.ts";
import { present } from "../../core/present.ts";
import {
  type InstanceItem,
  instanceKey,
  instanceOf,
  ownerKeyOf,
  readCursor,
  shardOf,
  summaryOf,
  writeCursor,
} from "./item.ts";
import { pendingItem, readPendingItem } from "./pending.ts";
import { type Change, type InstanceTableOptions, updateItem } from "./update-item.ts";

/**
 * The due index, for the sweep. Needs Query on the index, and UpdateItem. The index holds ids and due times,
 * but no grants.
 */
export function dueIndex(options: InstanceTableOptions): DueIndex {
  const { client, tableName } = options;

  return {
    async due(shard, now, limit, after) {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: "due",
          KeyConditionExpression: "refreshShard = :shard AND dueAt <= :now",
          ExpressionAttributeValues: { ":shard": shard, ":now": now },
          Limit: limit,
          ...(after === undefined ? {} : { ExclusiveStartKey: readCursor(after) }),
        }),
      );
      return {
        items: Items.map((item) => {
          const { instanceId, dueAt, dueSince, refreshGroup, ...key } = item as {
            instanceId: number;
            item: string;
            dueAt: number;
            dueSince?: number;
            refreshGroup: string;
          };
          const pending = readPendingItem(key.item);
          return {
            id: instanceId,
            dueAt,
            refreshGroup,
            ...present({ dueSince, pending }),
          };
        }),
        ...(LastEvaluatedKey === undefined ? {} : { next: writeCursor(LastEvaluatedKey) }),
      };
    },

    setDueAt: (id, seen, to) => updateItem(options, id, movedTo(id, seen, to)),

    setPendingDueAt: (key, seen, to) =>
      updateItem(options, key.instanceId, movedTo(key.instanceId, seen, to), pendingItem(key)),
  };

  function movedTo(id: number, seen: number, to: number): Change {
    return {
      set: { dueAt: to, refreshShard: shardOf(id, options.shards) },
      setOnce: { dueSince: seen },
      condition: "#dueAt = :seen",
      values: { seen },
    };
  }
}

/** One user's instances. Needs Query on the index `owner`. */
export function ownerList(options: InstanceTableOptions): Pick<InstanceLists, "listByOwner"> {
  return {
    listByOwner: (organizationId, userId, paging) =>
      indexPage(options, "owner", { name: "ownerKey", value: ownerKeyOf(organizationId, userId) }, paging),
  };
}

/** A page of one of the two indexes that list instances, newest first. */
async function indexPage(
  { client, tableName }: InstanceTableOptions,
  index: "owner" | "organization",
  key: { readonly name: string; readonly value: string },
  { after, limit = 200 }: { readonly after?: string; readonly limit?: number } = {},
): Promise<InstancePage> {
  const { Items = [], LastEvaluatedKey } = await client.send(
    new QueryCommand({
      TableName: tableName,
      IndexName: index,
      KeyConditionExpression: "#key = :key",
      ExpressionAttributeNames: { "#key": key.name },
      ExpressionAttributeValues: { ":key": key.value },
      ScanIndexForward: false,
      Limit: limit,
      ...(after === undefined ? {} : { ExclusiveStartKey: readCursor(after) }),
    }),
  );
  return {
    items: Items.map(summaryOf),
    ...(LastEvaluatedKey === undefined ? {} : { next: writeCursor(LastEvaluatedKey) }),
  };
}

/** BatchGetItem takes at most this many keys. */
const BATCH = 100;

/** Lists of instances, by the indexes `owner` and `organization`. Needs Query on both, and BatchGetItem. */
export function instanceLists(options: InstanceTableOptions): InstanceLists {
  const { client, tableName } = options;

  async function getBatch(ids: readonly number[], found: Map<number, Instance>): Promise<void> {
    let keys: Record<string, unknown>[] = ids.map(instanceKey);
    for (let tries = 0; keys.length > 0; tries++) {
      if (tries === 8) throw new Error("the instances table leaves keys of a batch unread");
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } }),
      );
      for (const item of Responses?.[tableName] ?? []) {
        const instance = instanceOf(item as InstanceItem);
        found.set(instance.id, instance);
      }
      keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
  }

  return {
    ...ownerList(options),

    listByOrganization: (organizationId, paging) =>
      indexPage(options, "organization", { name: "organizationId", value: organizationId }, paging),

    async getMany(ids) {
      const found = new Map<number, Instance>();
      const distinct = [...new Set(ids)];
      for (let start = 0; start < distinct.length; start += BATCH) {
        await getBatch(distinct.slice(start, start + BATCH), found);
      }
      return ids.flatMap((id) => found.get(id) ?? []);
    },
  };
}

/** Keys per page. The search stops at the first sibling. */
const PAGE = 10;

/**
 * Finds instances and pending sign-ins that share a consent, by the `consent` index. An instance that is
 * being deleted has no `ownerKey` (sort key), and a pending sign-in that is ending has no `consentKey`
 * (partition key): neither is on the index. Needs Query on the index.
 */
export function instanceSiblings({ client, tableName }: InstanceTableOptions): InstanceSiblings {
  const hasOther = async (
    consentKey: string,
    isOther: (key: { instanceId: number; item: string }) => boolean,
  ): Promise<boolean> => {
    let start: Record<string, unknown> | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: "consent",
          KeyConditionExpression: "consentKey = :consentKey",
          ExpressionAttributeValues: { ":consentKey": consentKey },
          Limit: PAGE,
          ...present({ ExclusiveStartKey: start }),
        }),
      );
      if (Items.some((item) => isOther(item as { instanceId: number; item: string }))) return true;
      start = LastEvaluatedKey;
    } while (start !== undefined);
    return false;
  };
  return {
    async hasSibling(id, consentKey, unprovenKey, pending) {
      const own = pending === undefined ? undefined : pendingItem(pending);
      // Skips the item itself: the index may lag behind its deletion. Skips a deleted instance's pending sign-ins too.
      const isOther = ({ instanceId, item }: { instanceId: number; item: string }): boolean =>
        instanceId !== id || (own !== undefined && item !== own);
      // Order matters: an item proven between the queries moves from the first key to the second.
      if (unprovenKey !== undefined && (await hasOther(unprovenKey, isOther))) return true;
      return await hasOther(consentKey, isOther);
    },
  };
}

/** Number of parallel scans. They count a million instances in about ten seconds. */
const SEGMENTS = 4;
/** Time limit of a count, because the worker that counts holds a lease. The worker counts again later. */
const TIMEOUT_MS = 25_000;

/**
 * Counts the instances of a connector in all organizations, including instances that are being deleted. Reads
 * the whole index `organization`, about 200 bytes per instance, so call it rarely. Needs Scan on that index.
 * @throws the count takes longer than 25 s
 */
export function countInstances({
  client,
  tableName,
}: Pick<InstanceTableOptions, "client" | "tableName">): (connector: string) => Promise<number> {
  async function countSegment(connector: string, segment: number, abortSignal: AbortSignal): Promise<number> {
    let count = 0;
    let after: Record<string, unknown> | undefined;
    do {
      const { Count = 0, LastEvaluatedKey } = await client.send(
        new ScanCommand({
          TableName: tableName,
          IndexName: "organization",
          Select: "COUNT",
          Segment: segment,
          TotalSegments: SEGMENTS,
          FilterExpression: "connector = :connector",
          ExpressionAttributeValues: { ":connector": connector },
          ...present({ ExclusiveStartKey: after }),
        }),
        { abortSignal },
      );
      count += Count;
      after = LastEvaluatedKey;
    } while (after !== undefined);
    return count;
  }

  return async (connector) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const segments = Array.from({ length: SEGMENTS }, (_, segment) =>
      countSegment(connector, segment, signal),
    );
    const counts = await Promise.all(segments);
    return counts.reduce((sum, each) => sum + each, 0);
  };
}
