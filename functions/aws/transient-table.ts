import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { present } from "../core/present.ts";
import type { TransientItem, TransientStore } from "../core/transients.ts";
import { conditionHeld } from "./conditional-write.ts";

const MAX_KEY_BYTES = 2_048;

/** An item that was consumed: it goes when its time is over. */
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
 * The writing half, for a function that only starts something; its role allows no more than this.
 * `expires` is the table's TTL attribute, in seconds; DynamoDB deletes by it within a few days, so `expiresAt` is checked too:
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
      // Marked, and not deleted: the SDK repeats a write whose answer was lost, and a second delete would find nothing and look as
      // if somebody else had been faster.
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
 * No item has a longer key, and DynamoDB answers a longer key with an error:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
 */
function isKey(id: string): boolean {
  return id !== "" && Buffer.byteLength(id) <= MAX_KEY_BYTES;
}

function stored(item: TransientItem): Record<string, unknown> {
  return { ...item, expires: Math.ceil(item.expiresAt / 1000) };
}
