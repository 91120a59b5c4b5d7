import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { InstanceSiblings } from "../core/grant/ports.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import type { InstanceItem } from "./instance-item.ts";

/**
 * Who hangs on a consent. What is being deleted has no `ownerKey`, the index's sort key, and so is not on it. Takes Query on
 * the index.
 */
export function instanceSiblings({ client, tableName }: InstanceTableOptions): InstanceSiblings {
  return {
    async hasSibling(id, consentKey) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: "consent",
          KeyConditionExpression: "consentKey = :consentKey",
          ExpressionAttributeValues: { ":consentKey": consentKey },
          // Itself, if the index does not know yet that it is being deleted, and another.
          Limit: 2,
        }),
      );
      return Items.some((item) => (item as Pick<InstanceItem, "instanceId">).instanceId !== id);
    },
  };
}
