import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import type { OAuthProxies, OAuthProxy } from "../../core/tenants/oauth-proxies.ts";
import { conditionHeld } from "../conditional-write.ts";
import { oauthProxyKey, oauthProxyPartition } from "./keys.ts";

interface TableOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

/** Reads a proxy; apart from the rest, for the function that only starts authorizations. */
export function oauthProxyReader({ client, tableName }: TableOptions): Pick<OAuthProxies, "get"> {
  return {
    async get(organizationId, id) {
      const { Item } = await client.send(
        new GetCommand({
          TableName: tableName,
          Key: oauthProxyKey(organizationId, id),
          ConsistentRead: true,
        }),
      );
      return Item?.value as OAuthProxy | undefined;
    },
  };
}

/** OAuth proxies in a partition of their own of the tenants table: a role can be limited to them. */
export function oauthProxies(options: TableOptions): OAuthProxies {
  const { client, tableName: TableName } = options;
  return {
    ...oauthProxyReader(options),
    async list(organizationId) {
      const found: OAuthProxy[] = [];
      let start: Record<string, unknown> | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: "id = :id",
            ExpressionAttributeValues: { ":id": oauthProxyPartition(organizationId) },
            ConsistentRead: true,
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        );
        found.push(...Items.map(({ value }) => value as OAuthProxy));
        start = LastEvaluatedKey;
      } while (start !== undefined);
      return found.toSorted((a, b) => a.id - b.id);
    },
    create: (proxy) =>
      conditionHeld(
        client.send(
          new PutCommand({
            TableName,
            Item: { ...oauthProxyKey(proxy.organizationId, proxy.id), value: proxy },
            ConditionExpression: "attribute_not_exists(id)",
          }),
        ),
      ),
    replaceUrls(seen, applicationUrls) {
      const next: OAuthProxy = { ...seen, applicationUrls, revision: seen.revision + 1 };
      return conditionHeld(
        client.send(
          new PutCommand({
            TableName,
            Item: { ...oauthProxyKey(seen.organizationId, seen.id), value: next },
            ConditionExpression: "#value.revision = :seen AND #value.createdAt = :createdAt",
            ExpressionAttributeNames: { "#value": "value" },
            ExpressionAttributeValues: { ":seen": seen.revision, ":createdAt": seen.createdAt },
          }),
        ),
      );
    },
    remove: (organizationId, id) =>
      conditionHeld(
        client.send(
          new DeleteCommand({
            TableName,
            Key: oauthProxyKey(organizationId, id),
            ConditionExpression: "attribute_exists(id)",
          }),
        ),
      ),
  };
}
