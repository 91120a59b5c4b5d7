import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { present } from "../core/present.ts";
import type { TransientItem, TransientStore } from "../core/transients.ts";
import { unlessRefused } from "./conditional-write.ts";

const MAX_KEY_BYTES = 2_048;

export interface TransientTableOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** The store's time, see store-time.ts. */
  readonly clock: { now(): number };
}

/**
 * The writing half: all that a function needs which only starts something (its role may do no more).
 * `expires` is the table's TTL attribute, in seconds; DynamoDB deletes by it within a few days, so `expiresAt` is checked too:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export function transientWriter(options: TransientTableOptions): Pick<TransientStore, "put" | "now"> {
  const { client, tableName, clock } = options;
  return {
    put: (item) =>
      unlessRefused(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: stored(item),
            ConditionExpression: "attribute_not_exists(id) OR expiresAt <= :now",
            ExpressionAttributeValues: { ":now": clock.now() },
          }),
        ),
      ),
    now: () => clock.now(),
  };
}

export function transientTable(options: TransientTableOptions): TransientStore {
  const { client, tableName, clock } = options;

  async function get<T extends TransientItem>(id: string): Promise<T | undefined> {
    if (!isKey(id)) return undefined;
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: { id }, ConsistentRead: true }),
    );
    return living<T>(Item);
  }

  function living<T extends TransientItem>(item: unknown): T | undefined {
    const found = item as (T & { expires?: number }) | undefined;
    if (found === undefined || found.expiresAt <= clock.now()) return undefined;
    const { expires, ...rest } = found;
    return rest as unknown as T;
  }

  return {
    ...transientWriter(options),
    get,
    async consume<T extends TransientItem>(id: string) {
      if (!isKey(id)) return undefined;
      try {
        const { Attributes } = await client.send(
          new DeleteCommand({
            TableName: tableName,
            Key: { id },
            ConditionExpression: "attribute_exists(id)",
            ReturnValues: "ALL_OLD",
          }),
        );
        return living<T>(Attributes);
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return undefined;
        throw error;
      }
    },
    replace(item, { field, seen }) {
      const unchanged = seen === undefined ? "attribute_not_exists(#field)" : "#field = :seen";
      return unlessRefused(
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
    async remove(id) {
      await client.send(new DeleteCommand({ TableName: tableName, Key: { id } }));
    },
  };
}

/** Nothing has a longer key, and the table answers one with an error: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys */
function isKey(id: string): boolean {
  return id !== "" && Buffer.byteLength(id) <= MAX_KEY_BYTES;
}

function stored(item: TransientItem): Record<string, unknown> {
  return { ...item, expires: Math.ceil(item.expiresAt / 1000) };
}
