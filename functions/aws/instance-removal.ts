import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import type { InstanceRemoval } from "../core/instances/instance-store.ts";
import { conditionHeld } from "./conditional-write.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import { instanceKey } from "./instance-item.ts";

/** The end of an instance. Takes DeleteItem. */
export function instanceRemoval({ client, tableName }: InstanceTableOptions): InstanceRemoval {
  return {
    remove: (id) =>
      conditionHeld(
        client.send(
          new DeleteCommand({
            TableName: tableName,
            Key: instanceKey(id),
            ConditionExpression: "attribute_exists(deleting)",
          }),
        ),
      ),
  };
}
