import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { InstanceSiblings } from "../core/grant/ports.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import type { InstanceItem } from "./instance-item.ts";

/**
 * Who hangs on a consent. What is being deleted has no `ownerKey`, the index's sort key, and so is not on it. Takes Query on
 * the index.
 */
export function instanceSiblings({ client, tableName }: InstanceTableOptions): InstanceSiblings {
  const isOn = async (consentKey: string, id: number): Promise<boolean> => {
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
  };
  return {
    // In this order: one whose client is proven between the two goes from the first to the second.
    hasSibling: async (id, consentKey, unprovenKey) =>
      (unprovenKey !== undefined && (await isOn(unprovenKey, id))) || (await isOn(consentKey, id)),
  };
}
