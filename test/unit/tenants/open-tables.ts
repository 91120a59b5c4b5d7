import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { dynamoClient, type StoreClient } from "../../../functions/aws/store-time.ts";

const dynalite = createRequire(import.meta.url)("dynalite") as (options: { createTableMs: number }) => Server;

/** Tables `tenants` and `transients` in a dynalite of their own, reached by the real client over HTTP. */
export async function openTables(): Promise<StoreClient & AsyncDisposable & { reads(): number }> {
  const server = dynalite({ createTableMs: 0 });
  let reads = 0;
  server.prependListener("request", (request) => {
    if (/GetItem|Query/.test(String(request.headers["x-amz-target"]))) reads++;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const store = dynamoClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-west-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });
  const key = (name: string, type: "HASH" | "RANGE") => ({ AttributeName: name, KeyType: type });
  const text = (name: string) => ({ AttributeName: name, AttributeType: "S" as const });
  await store.documents.send(
    new CreateTableCommand({
      TableName: "tenants",
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [key("id", "HASH"), key("item", "RANGE")],
      AttributeDefinitions: [text("id"), text("item")],
    }),
  );
  await store.documents.send(
    new CreateTableCommand({
      TableName: "transients",
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [key("id", "HASH")],
      AttributeDefinitions: [text("id")],
    }),
  );
  return {
    ...store,
    reads: () => reads,
    async [Symbol.asyncDispose]() {
      store.documents.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
