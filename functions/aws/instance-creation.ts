import { PutCommand } from "@aws-sdk/lib-dynamodb";
import type { InstanceCreation } from "../core/instances/instance-store.ts";
import { conditionHeld } from "./conditional-write.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import { itemOf } from "./instance-item.ts";

/** New items of the instances table. Takes PutItem. */
export function instanceCreation({ client, tableName, shards }: InstanceTableOptions): InstanceCreation {
  return {
    create: (instance) =>
      conditionHeld(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: itemOf(instance, shards),
            ConditionExpression: "attribute_not_exists(instanceId)",
          }),
        ),
      ),
  };
}
