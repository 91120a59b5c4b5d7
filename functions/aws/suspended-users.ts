import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { SuspendedUsers } from "../core/tenants/ports.ts";
import { conditionHeld } from "./conditional-write.ts";
import { organizationKey } from "./tenant-keys.ts";

/**
 * The list of suspended users in an organization's record. One id is put on it or taken off at a time, on condition that it is
 * (not) there: two operators' changes do not undo each other.
 */
export function suspendedUsers(options: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}): SuspendedUsers {
  const update = (
    organizationId: string,
    expression: string,
    condition: string,
    values: Readonly<Record<string, unknown>>,
  ): Promise<boolean> =>
    conditionHeld(
      options.client.send(
        new UpdateCommand({
          TableName: options.tableName,
          Key: organizationKey(organizationId),
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeNames: { "#value": "value", "#users": "suspendedUsers" },
          ExpressionAttributeValues: values,
        }),
      ),
    );
  return {
    beginSuspendedUsers: (organizationId, ids) =>
      update(
        organizationId,
        "SET #value.#users = :ids",
        "attribute_exists(id) AND attribute_not_exists(#value.#users)",
        { ":ids": ids },
      ),
    addSuspendedUser: (organizationId, userId, most) =>
      update(
        organizationId,
        "SET #value.#users = list_append(#value.#users, :one)",
        "size(#value.#users) < :most AND NOT contains(#value.#users, :id)",
        { ":one": [userId], ":id": userId, ":most": most },
      ),
    removeSuspendedUser: (organizationId, userId, index) =>
      update(organizationId, `REMOVE #value.#users[${index}]`, `#value.#users[${index}] = :id`, {
        ":id": userId,
      }),
  };
}
