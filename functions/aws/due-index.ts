import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { DueIndex } from "../core/grant/ports.ts";
import { readCursor, writeCursor } from "./index-cursor.ts";
import { type Change, changeInstance, dueChange, type InstanceTableOptions } from "./instance-change.ts";

/** The due index, for the sweep. Takes Query on it and UpdateItem; it sees ids and due times, no grant. */
export function dueIndex(options: InstanceTableOptions): DueIndex {
  const { client, tableName } = options;
  const change = (id: number, what: Change) => changeInstance(options, id, what);
  const due = (id: number, dueAt: number) => dueChange(options, id, dueAt);

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
          const { instanceId, dueAt, refreshGroup } = item as {
            instanceId: number;
            dueAt: number;
            refreshGroup: string;
          };
          return { id: instanceId, dueAt, refreshGroup };
        }),
        ...(LastEvaluatedKey === undefined ? {} : { next: writeCursor(LastEvaluatedKey) }),
      };
    },

    push(id, seen, to) {
      const { set, remove } = due(id, to);
      return change(id, { set, remove, condition: "#dueAt = :seen", values: { seen } });
    },
  };
}
