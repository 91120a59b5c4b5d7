import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { InstanceSiblings } from "../core/grant/ports.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import { pendingItem } from "./pending-item.ts";

/** A page of keys: one sibling among them is enough to stop. */
const PAGE = 10;

/**
 * Who hangs on a consent: instances, and pending sign-ins, which will be. What is being deleted, or ending, has no `ownerKey`,
 * the index's sort key, and so is not on it. Takes Query on the index.
 */
export function instanceSiblings({ client, tableName }: InstanceTableOptions): InstanceSiblings {
  return {
    async hasSibling(id, consentKey, pending) {
      const own = pending === undefined ? undefined : pendingItem(pending);
      let start: Record<string, unknown> | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new QueryCommand({
            TableName: tableName,
            IndexName: "consent",
            KeyConditionExpression: "consentKey = :consentKey",
            ExpressionAttributeValues: { ":consentKey": consentKey },
            Limit: PAGE,
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        );
        // Itself is there when the index does not know yet that it is going. A deleted instance's pending sign-ins go with it.
        const isOther = (item: { instanceId: number; item: string }) =>
          item.instanceId !== id || (own !== undefined && item.item !== own);
        if (Items.some((item) => isOther(item as { instanceId: number; item: string }))) return true;
        start = LastEvaluatedKey;
      } while (start !== undefined);
      return false;
    },
  };
}
