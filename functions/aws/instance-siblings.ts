import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { InstanceSiblings } from "../core/instances/instance-store.ts";
import { present } from "../core/present.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import { pendingItem } from "./pending-item.ts";

/** A page of keys: one sibling among them is enough to stop. */
const PAGE = 10;

/**
 * What shares a consent: instances, and pending sign-ins. What is being deleted has no `ownerKey`, the index's sort key, and
 * what is ending has no `consentKey`, its partition key: neither is on it. Takes Query on the index.
 */
export function instanceSiblings({ client, tableName }: InstanceTableOptions): InstanceSiblings {
  const isOn = async (
    consentKey: string,
    isOther: (key: { instanceId: number; item: string }) => boolean,
  ): Promise<boolean> => {
    let start: Record<string, unknown> | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: "consent",
          KeyConditionExpression: "consentKey = :consentKey",
          ExpressionAttributeValues: { ":consentKey": consentKey },
          Limit: PAGE,
          ...present({ ExclusiveStartKey: start }),
        }),
      );
      if (Items.some((item) => isOther(item as { instanceId: number; item: string }))) return true;
      start = LastEvaluatedKey;
    } while (start !== undefined);
    return false;
  };
  return {
    async hasSibling(id, consentKey, unprovenKey, pending) {
      const own = pending === undefined ? undefined : pendingItem(pending);
      // Skips the item itself: the index may lag behind its deletion. Skips a deleted instance's pending sign-ins too.
      const isOther = ({ instanceId, item }: { instanceId: number; item: string }): boolean =>
        instanceId !== id || (own !== undefined && item !== own);
      // Order matters: an item proven between the queries moves from the first key to the second.
      if (unprovenKey !== undefined && (await isOn(unprovenKey, isOther))) return true;
      return await isOn(consentKey, isOther);
    },
  };
}
