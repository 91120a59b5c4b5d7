import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { type CountedStore, openDynamodb } from "../open-dynamodb.ts";

export const TABLE = "instances";

/** An instances table of its own. */
export async function openTable(): Promise<CountedStore> {
  const store = await openDynamodb();
  await createTable(store.documents);
  return store;
}

async function createTable(client: DynamoDBDocumentClient): Promise<void> {
  const lists = ["connector", "name", "tags", "createdAt", "userId"];
  const index = (name: string, partition: string, sort: string, included?: string[]) => ({
    IndexName: name,
    KeySchema: [
      { AttributeName: partition, KeyType: "HASH" as const },
      { AttributeName: sort, KeyType: "RANGE" as const },
    ],
    Projection:
      included === undefined
        ? { ProjectionType: "KEYS_ONLY" as const }
        : { ProjectionType: "INCLUDE" as const, NonKeyAttributes: included },
  });
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [
        { AttributeName: "instanceId", KeyType: "HASH" },
        { AttributeName: "item", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "instanceId", AttributeType: "N" },
        { AttributeName: "item", AttributeType: "S" },
        { AttributeName: "refreshShard", AttributeType: "N" },
        { AttributeName: "dueAt", AttributeType: "N" },
        { AttributeName: "ownerKey", AttributeType: "S" },
        { AttributeName: "ownerSort", AttributeType: "S" },
        { AttributeName: "organizationId", AttributeType: "S" },
        { AttributeName: "consentKey", AttributeType: "S" },
      ],
      GlobalSecondaryIndexes: [
        index("due", "refreshShard", "dueAt", ["refreshGroup", "dueSince"]),
        index("owner", "ownerKey", "ownerSort", lists),
        index("organization", "organizationId", "ownerSort", lists),
        index("consent", "consentKey", "ownerKey"),
      ],
    }),
  );
}
