import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import type { SweepLock } from "../core/grant/schedule/sweep.ts";
import { conditionHeld } from "./conditional-write.ts";
import type { StoreClock } from "./store-time.ts";

const ID = "sweep";
const YEAR_MS = 365 * 86_400_000;

/**
 * The item `sweep` of the transients table: until when a sweep holds the lock, and where the next sweep
 * continues. Needs GetItem and PutItem.
 */
export function sweepLock(options: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly clock: StoreClock;
}): SweepLock {
  const { client, tableName, clock } = options;
  return {
    now: () => clock.now(),
    async read() {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: { id: ID }, ConsistentRead: true }),
      );
      return Item?.value as Awaited<ReturnType<SweepLock["read"]>>;
    },
    write(state, seen) {
      const expiresAt = clock.now() + YEAR_MS;
      return conditionHeld(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: { id: ID, expiresAt, expires: Math.ceil(expiresAt / 1000), value: state },
            ...(seen === undefined
              ? { ConditionExpression: "attribute_not_exists(id)" }
              : {
                  ConditionExpression: "#value.lockedUntil = :seen",
                  ExpressionAttributeNames: { "#value": "value" },
                  ExpressionAttributeValues: { ":seen": seen.lockedUntil },
                }),
          }),
        ),
      );
    },
  };
}
