import { type DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { RegisteredApp, RegisteredApps } from "../core/tenants/ports.ts";
import { appPrefix, organizationKey } from "./tenant-keys.ts";

/** The apps that organizations registered at vendors, in the tenants table; oldest first, never cached. */
export function registeredApps(options: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}): RegisteredApps {
  return {
    async registeredApp(organizationId, connector) {
      const { Items } = await options.client.send(
        new QueryCommand({
          TableName: options.tableName,
          KeyConditionExpression: "id = :id AND begins_with(#item, :prefix)",
          ExpressionAttributeNames: { "#item": "item" },
          ExpressionAttributeValues: {
            ":id": organizationKey(organizationId).id,
            ":prefix": appPrefix(connector),
          },
          ConsistentRead: true,
          Limit: 1,
        }),
      );
      return Items?.[0]?.value as RegisteredApp | undefined;
    },
  };
}
