import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { DueIndex } from "../core/instances/instance-store.ts";
import { present } from "../core/present.ts";
import { readCursor, writeCursor } from "./index-cursor.ts";
import { type Change, type InstanceTableOptions, updateItem } from "./instance-change.ts";
import { shardOf } from "./instance-item.ts";
import { pendingItem, readPendingItem } from "./pending-item.ts";

/** The due index, for the sweep. Takes Query on it and UpdateItem; it sees ids and due times, no grant. */
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

    push: (id, seen, to) => updateItem(options, id, pushed(id, seen, to)),

    pushPending: (key, seen, to) =>
      updateItem(options, key.instanceId, pushed(key.instanceId, seen, to), pendingItem(key)),
  };

  function pushed(id: number, seen: number, to: number): Change {
    return {
      set: { dueAt: to, refreshShard: shardOf(id, options.shards) },
      setOnce: { dueSince: seen },
      condition: "#dueAt = :seen",
      values: { seen },
    };
  }
}
