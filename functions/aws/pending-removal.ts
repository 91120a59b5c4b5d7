import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import type { PendingRemoval } from "../core/instances/pending-store.ts";
import type { InstanceTableOptions } from "./instance-change.ts";
import { pendingTableKey } from "./pending-item.ts";

/** The end of a pending sign-in, for the worker. Takes DeleteItem. */
export function pendingRemoval({ client, tableName }: InstanceTableOptions): PendingRemoval {
  return {
    async remove(key) {
      await client.send(new DeleteCommand({ TableName: tableName, Key: pendingTableKey(key) }));
    },
  };
}
