import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { conditionHeld } from "../conditional-write.ts";
import { instanceKey, shardOf } from "./item.ts";

export interface InstanceTableOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** Number of partitions of the due index; new due times are spread over them. */
  readonly shards: number;
}

export interface Change {
  readonly set?: Readonly<Record<string, unknown>>;
  /**
   * Sets `updatedAt`, unless the item has a later one: processes estimate the store's time, and a slower one must not set
   * the date back.
   */
  readonly updatedAt?: number;
  /** Attributes that are set only if the item does not have them yet. */
  readonly setOnce?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  /**
   * Attribute names as `#name`, values as `:name`. Never empty: an update without a condition would create a
   * deleted item again.
   */
  readonly condition: string;
  readonly values?: Readonly<Record<string, unknown>>;
}

/**
 * Updates one item if its condition holds.
 * @param item sort key of an item that is not the instance itself (pending.ts)
 * @returns whether the item was written
 */
export async function updateItem(
  options: InstanceTableOptions,
  id: number,
  { updatedAt, ...change }: Change,
  item?: string,
): Promise<boolean> {
  if (updatedAt === undefined) return await write(options, id, change, item);
  const { set, condition, values } = change;
  const withDate = {
    ...change,
    set: { ...set, updatedAt },
    condition: `${condition} AND #updatedAt <= :updatedAt`,
    values: { ...values, updatedAt },
  };
  return (await write(options, id, withDate, item)) || (await write(options, id, change, item));
}

function write(
  { client, tableName }: InstanceTableOptions,
  id: number,
  { set, setOnce, remove = [], condition, values = {} }: Omit<Change, "updatedAt">,
  item: string | undefined,
): Promise<boolean> {
  const settings = Object.keys(set ?? {}).map((name) => `#${name} = :set_${name}`);
  const once = Object.keys(setOnce ?? {}).map((name) => `#${name} = if_not_exists(#${name}, :set_${name})`);
  const assigned = [...settings, ...once];
  const expression = [
    assigned.length === 0 ? "" : `SET ${assigned.join(", ")}`,
    remove.length === 0 ? "" : `REMOVE ${remove.map((name) => `#${name}`).join(", ")}`,
  ].join(" ");
  const assignedValues = Object.entries({ ...set, ...setOnce }).map(([name, value]) => [
    `:set_${name}`,
    value,
  ]);
  const conditionValues = Object.entries(values).map(([name, value]) => [`:${name}`, value]);
  const all = [...assignedValues, ...conditionValues];
  const names = new Set(
    [...`${expression} ${condition}`.matchAll(/#(\w+)/g)].map(([, name]) => name as string),
  );
  return conditionHeld(
    client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: item === undefined ? instanceKey(id) : { instanceId: id, item },
        UpdateExpression: expression,
        ConditionExpression: condition,
        ExpressionAttributeNames: Object.fromEntries([...names].map((name) => [`#${name}`, name])),
        ...(all.length === 0 ? {} : { ExpressionAttributeValues: Object.fromEntries(all) }),
      }),
    ),
  );
}

/**
 * The change that sets a new due time; for `undefined`, the change that removes both attributes that put the
 * item on the due index. Removes `dueSince`, unless `owedSince` is given.
 */
export function dueChange(
  { shards }: InstanceTableOptions,
  id: number,
  dueAt: number | undefined,
  owedSince?: number,
): { set: Record<string, unknown>; remove: string[] } {
  if (dueAt === undefined) return { set: {}, remove: ["dueAt", "refreshShard", "dueSince"] };
  const set = { dueAt, refreshShard: shardOf(id, shards) };
  return owedSince === undefined
    ? { set, remove: ["dueSince"] }
    : { set: { ...set, dueSince: owedSince }, remove: [] };
}
