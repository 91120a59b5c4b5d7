import { GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { PendingKey } from "../core/instances/pending-sign-in.ts";
import type { PendingSignIns } from "../core/instances/pending-store.ts";
import { conditionHeld } from "./conditional-write.ts";
import { type Change, type InstanceTableOptions, updateItem } from "./instance-change.ts";
import {
  PENDING_PREFIX,
  pendingItem,
  pendingOf,
  pendingTableKey,
  type StoredPending,
  storedPending,
} from "./pending-item.ts";
import { readingOf } from "./store-time.ts";

const EXISTS = "attribute_exists(#instanceId)";
const NOT_ENDING = "attribute_not_exists(#endingSince)";

/** Pending sign-ins, beside the instances. Takes GetItem, PutItem, UpdateItem, and Query on the table itself. */
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
      // A handful at most, each ended within its half hour: one page.
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

    push: (key, to) => change(key, { set: { dueAt: to }, remove: ["dueSince"], condition: EXISTS }),
  };
}
