import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { AddToSum } from "../core/tenants/tenant-use.ts";

/**
 * DynamoDB may delete a sum this many milliseconds after the end of its minute; no code reads the sum by
 * then.
 */
const KEPT_MS = 10 * 60_000;
const MINUTE_MS = 60_000;

/**
 * The items `usage#<organization>#<minute>` of the transients table: the sum of the requests that all
 * processes have counted. One call adds and reads. Needs UpdateItem; each role has it for these items only
 * (lib/permissions.ts).
 */
export function usageSums(options: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}): AddToSum {
  const { client, tableName } = options;
  return async (organizationId, minute, requests) => {
    const expiresAt = (minute + 1) * MINUTE_MS + KEPT_MS;
    const { Attributes } = await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: { id: `usage#${organizationId}#${minute}` },
        UpdateExpression: "SET expiresAt = :expiresAt, expires = :expires ADD requests :requests",
        ExpressionAttributeValues: {
          ":expiresAt": expiresAt,
          ":expires": Math.ceil(expiresAt / 1000),
          ":requests": requests,
        },
        ReturnValues: "UPDATED_NEW",
      }),
    );
    return Number(Attributes?.requests);
  };
}
