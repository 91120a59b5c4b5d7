import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { InstanceLists, InstancePage } from "../core/instances/instance-store.ts";
import { readCursor, writeCursor } from "./index-cursor.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import { ownerKeyOf, summaryOf } from "./instance-item.ts";

/** One user's instances. Takes Query on the index `owner`. */
export function ownerList(options: InstanceTableOptions): Pick<InstanceLists, "listByOwner"> {
  return {
    listByOwner: (organizationId, userId, paging) =>
      indexPage(options, "owner", { name: "ownerKey", value: ownerKeyOf(organizationId, userId) }, paging),
  };
}

/** A page of one of the two indexes that list instances, newest first. */
export async function indexPage(
  { client, tableName }: InstanceTableOptions,
  index: "owner" | "organization",
  key: { readonly name: string; readonly value: string },
  { after, limit = 200 }: { readonly after?: string; readonly limit?: number } = {},
): Promise<InstancePage> {
  const { Items = [], LastEvaluatedKey } = await client.send(
    new QueryCommand({
      TableName: tableName,
      IndexName: index,
      KeyConditionExpression: "#key = :key",
      ExpressionAttributeNames: { "#key": key.name },
      ExpressionAttributeValues: { ":key": key.value },
      ScanIndexForward: false,
      Limit: limit,
      ...(after === undefined ? {} : { ExclusiveStartKey: readCursor(after) }),
    }),
  );
  return {
    items: Items.map(summaryOf),
    ...(LastEvaluatedKey === undefined ? {} : { next: writeCursor(LastEvaluatedKey) }),
  };
}
