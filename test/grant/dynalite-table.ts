import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { dynamoClient, type StoreClient } from "../../functions/aws/store-time.ts";

const dynalite = createRequire(import.meta.url)("dynalite") as (options: { createTableMs: number }) => Server;

export const TABLE = "instances";

/** An instances table of its own in dynalite, in memory, reached by the real client over HTTP. */
export async function openTable(): Promise<StoreClient & AsyncDisposable> {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const store = dynamoClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-west-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });
  await createTable(store.documents);
  return {
    ...store,
    async [Symbol.asyncDispose]() {
      store.documents.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function createTable(client: DynamoDBDocumentClient): Promise<void> {
  const lists = ["connector", "name", "tags", "createdAt", "userId"];
  const index = (name: string, partition: string, sort: string, included: string[]) => ({
    IndexName: name,
    KeySchema: [
      { AttributeName: partition, KeyType: "HASH" as const },
      { AttributeName: sort, KeyType: "RANGE" as const },
    ],
    Projection: { ProjectionType: "INCLUDE" as const, NonKeyAttributes: included },
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
      ],
      GlobalSecondaryIndexes: [
        index("due", "refreshShard", "dueAt", ["refreshGroup"]),
        index("owner", "ownerKey", "ownerSort", lists),
        index("organization", "organizationId", "ownerSort", [...lists, "deleting"]),
      ],
    }),
  );
}
