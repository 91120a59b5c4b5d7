import { BatchGetCommand, DeleteCommand, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type {
  KeptDetailsRemoval,
  KeptDetailsResealing,
  KeptDetailsStore,
  StoredDetails,
} from "../../core/instances/kept-details-store.ts";
import { mapConcurrently } from "../../core/map-concurrently.ts";
import { type InstanceTableOptions, updateItem } from "./update-item.ts";

/** Prefix of the sort keys of all kept details of an instance. */
const PREFIX = "details#";
/** Largest BatchGetItem. */
const MOST_KEYS = 100;
/** Rounds of a BatchGetItem that leaves keys out, before it counts as an outage. */
const MOST_ROUNDS = 5;
/** Deletions at the same time. */
const AT_ONCE = 10;

const tableKey = (instanceId: number, key: string) => ({ instanceId, item: `${PREFIX}${key}` });

/** @returns empty: the details were removed, and only the key is left */
function detailsOf({ item, sealed }: Record<string, unknown>): StoredDetails[] {
  if (sealed === undefined) return [];
  return [{ key: String(item).slice(PREFIX.length), sealed: sealed as Uint8Array }];
}

type Page = { readonly items: Record<string, unknown>[]; readonly last?: Record<string, unknown> };

async function query(
  { client, tableName }: InstanceTableOptions,
  instanceId: number,
  after?: Record<string, unknown>,
): Promise<Page> {
  const { Items = [], LastEvaluatedKey: last } = await client.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: "instanceId = :id AND begins_with(#item, :prefix)",
      ExpressionAttributeNames: { "#item": "item" },
      ExpressionAttributeValues: { ":id": instanceId, ":prefix": PREFIX },
      ConsistentRead: true,
      ...(after === undefined ? {} : { ExclusiveStartKey: after }),
    }),
  );
  return { items: Items, ...(last === undefined ? {} : { last }) };
}

async function* pages(
  options: InstanceTableOptions,
  instanceId: number,
): AsyncGenerator<readonly Record<string, unknown>[]> {
  let after: Record<string, unknown> | undefined;
  do {
    const { items, last } = await query(options, instanceId, after);
    yield items;
    after = last;
  } while (after !== undefined);
}

/** Kept details for the Documents hub. Needs GetItem, BatchGetItem, Query and UpdateItem. */
export function keptDetails(options: InstanceTableOptions): KeptDetailsStore {
  const { client, tableName } = options;

  async function batch(instanceId: number, wanted: readonly string[]): Promise<StoredDetails[]> {
    const found: StoredDetails[] = [];
    let keys: Record<string, unknown>[] = wanted.map((key) => tableKey(instanceId, key));
    for (let round = 0; keys.length > 0; round++) {
      if (round === MOST_ROUNDS) throw new Error("BatchGetItem leaves out keys again and again");
      const output = await client.send(
        new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } }),
      );
      found.push(...(output.Responses?.[tableName] ?? []).flatMap(detailsOf));
      keys = output.UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
    return found;
  }

  return {
    async get(instanceId, key) {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: tableKey(instanceId, key), ConsistentRead: true }),
      );
      return Item === undefined ? undefined : detailsOf(Item)[0];
    },
    async first(instanceId) {
      const { items, last } = await query(options, instanceId);
      return { found: items.flatMap(detailsOf), isWhole: last === undefined };
    },
    async many(instanceId, keys) {
      const found: StoredDetails[] = [];
      for (let start = 0; start < keys.length; start += MOST_KEYS)
        found.push(...(await batch(instanceId, keys.slice(start, start + MOST_KEYS))));
      return found;
    },
    async put(instanceId, { key, sealed }) {
      // An update, because the function's role may not put items: each write of it names what it changes.
      await updateItem(
        options,
        instanceId,
        { set: { sealed }, condition: "attribute_not_exists(#tokenHashes)" },
        tableKey(instanceId, key).item,
      );
    },
    // The key stays until the instance is deleted: only the worker's role may delete items of this table.
    async remove(instanceId, key) {
      const what = { remove: ["sealed"], condition: "attribute_exists(#sealed)" };
      await updateItem(options, instanceId, what, tableKey(instanceId, key).item);
    },
    mark: (instanceId) =>
      updateItem(options, instanceId, {
        set: { keepsDetails: true },
        condition: "attribute_exists(#instanceId) AND attribute_not_exists(#deleting)",
      }),
  };
}

/** Needs Query and DeleteItem. */
export function keptDetailsRemoval(options: InstanceTableOptions): KeptDetailsRemoval {
  const { client, tableName } = options;
  return {
    async removeDetails(instanceId) {
      for await (const some of pages(options, instanceId)) {
        const removed = await mapConcurrently(some, AT_ONCE, ({ item }) =>
          client.send(new DeleteCommand({ TableName: tableName, Key: { instanceId, item } })),
        );
        for (const each of removed) if (each.status === "rejected") throw each.reason;
      }
    },
  };
}

/** For the operator's command line. Needs Query and UpdateItem. */
export function keptDetailsResealing(options: InstanceTableOptions): KeptDetailsResealing {
  return {
    async *listDetails(instanceId) {
      for await (const items of pages(options, instanceId)) yield items.flatMap(detailsOf);
    },
    resealDetails: (instanceId, seen, sealed) =>
      updateItem(
        options,
        instanceId,
        { set: { sealed }, condition: "#sealed = :seen", values: { seen: seen.sealed } },
        tableKey(instanceId, seen.key).item,
      ),
  };
}
