import { type DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import type { Branding } from "../../core/tenants/branding.ts";
import { brandingKey } from "./keys.ts";

/** Reads how an organization looks. An item of its own: calls that need only the organization do not read its logo. */
export function brandingReader(options: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}): (organizationId: string) => Promise<Branding | undefined> {
  return async (organizationId) => {
    const { Item } = await options.client.send(
      new GetCommand({ TableName: options.tableName, Key: brandingKey(organizationId) }),
    );
    return Item?.value as Branding | undefined;
  };
}
