import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { present } from "../core/present.ts";
import type { TransientItem, TransientStore } from "../core/transients.ts";
import { conditionHeld } from "./conditional-write.ts";

const MAX_KEY_BYTES = 2_048;

/** Attributes of a consumed item. DynamoDB deletes the item after it expires. */
interface Taken {
  readonly takenBy?: string;
  readonly expires?: number;
}

export interface TransientTableOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** The store's time, see store-time.ts. */
  readonly clock: { now(): number };
}

/**
 * The write part of the table, for a function that only starts a flow and whose role allows only PutItem.
 * `expires` is the table's TTL attribute, in seconds. DynamoDB deletes an expired item within a few days, so
 * `expiresAt` is checked, too:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export function transientWriter(options: TransientTableOptions): Pick<TransientStore, "put" | "now"> {
  const { client, tableName, clock } = options;
  return {
    put: (item) =>
      conditionHeld(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: stored(item),
            ConditionExpression: "attribute_not_exists(id) OR expiresAt <= :now OR attribute_exists(takenBy)",
            ExpressionAttributeValues: { ":now": clock.now() },
          }),
        ),
      ),
    now: () => clock.now(),
  };
}

export function transientTable(options: TransientTableOptions): TransientStore {
  const { client, tableName, clock } = options;

  async function get<T extends TransientItem>(id: string, by?: string): Promise<T | undefined> {
    if (!isKey(id)) return undefined;
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: { id }, ConsistentRead: true }),
    );
    const found = Item as (T & Taken) | undefined;
    if (found === undefined || found.expiresAt <= clock.now()) return undefined;
    const { expires, takenBy, ...rest } = found;
    return takenBy === undefined || takenBy === by ? (rest as unknown as T) : undefined;
  }

  async function remove(id: string): Promise<void> {
    await client.send(new DeleteCommand({ TableName: tableName, Key: { id } }));
  }

  return {
    ...transientWriter(options),
    get,
    async consume<T extends TransientItem>(id: string, by: string) {
      const item = await get<T>(id, by);
      if (item === undefined) return undefined;
      // Marks the item instead of deleting it: the SDK repeats a write whose answer was lost, and a repeated
      // delete would not find the item, as if another caller had consumed it.
      const marked = await conditionHeld(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: { ...stored(item), takenBy: by },
            ConditionExpression:
              "attribute_exists(id) AND expiresAt > :now AND (attribute_not_exists(takenBy) OR takenBy = :by)",
            ExpressionAttributeValues: { ":now": clock.now(), ":by": by },
          }),
        ),
      );
      return marked ? item : undefined;
    },
    replace(item, { field, seen }) {
      const unchanged = seen === undefined ? "attribute_not_exists(#field)" : "#field = :seen";
      return conditionHeld(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: stored(item),
            ConditionExpression: `attribute_exists(id) AND expiresAt > :now AND ${unchanged}`,
            ExpressionAttributeNames: { "#field": field },
            ExpressionAttributeValues: {
              ":now": clock.now(),
              ...present({ ":seen": seen }),
            },
          }),
        ),
      );
    },
    remove,
  };
}

/**
 * Whether an item can have this key. DynamoDB answers an empty key or a key of more than 2,048 bytes with an
 * error:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
 */
function isKey(id: string): boolean {
  return id !== "" && Buffer.byteLength(id) <= MAX_KEY_BYTES;
}

function stored(item: TransientItem): Record<string, unknown> {
  return { ...item, expires: Math.ceil(item.expiresAt / 1000) };
}
