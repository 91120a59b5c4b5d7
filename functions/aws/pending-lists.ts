import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { PendingKey } from "../core/instances/pending-sign-in.ts";
import type { PendingLists } from "../core/instances/pending-store.ts";
import { readCursor, writeCursor } from "./index-cursor.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import { pendingOwnerKey, readPendingItem } from "./pending-item.ts";

/** An organization's pending sign-ins, for the operator. Takes Query on the `owner` index. */
export function pendingLists({ client, tableName }: InstanceTableOptions): PendingLists {
  return {
    async listPendings(organizationId, { after, limit = 200 } = {}) {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: "owner",
          KeyConditionExpression: "ownerKey = :owner",
          ExpressionAttributeValues: { ":owner": pendingOwnerKey(organizationId) },
          Limit: limit,
          ...(after === undefined ? {} : { ExclusiveStartKey: readCursor(after) }),
        }),
      );
      const items = Items.flatMap(({ instanceId, item }): PendingKey[] => {
        const named = readPendingItem(item as string);
        return named === undefined ? [] : [{ instanceId: instanceId as number, ...named }];
      });
      return { items, ...(LastEvaluatedKey === undefined ? {} : { next: writeCursor(LastEvaluatedKey) }) };
    },
  };
}
