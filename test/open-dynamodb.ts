import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dynamoClient, type StoreClient } from "../functions/aws/store-time.ts";

const dynalite = createRequire(import.meta.url)("dynalite") as (options: { createTableMs: number }) => Server;

export interface CountedStore extends StoreClient, AsyncDisposable {
  /** Names of the commands sent so far, as the client calls them: `GetItemCommand`, … */
  readonly operations: readonly string[];
}

/**
 * An empty DynamoDB that the real client reaches over HTTP: dynalite, in memory. When LINKSPAN_TEST_DYNAMODB is set, the
 * server at that address is used instead; it must keep a database for each access key, as Amazon's DynamoDB Local does.
 */
export async function openDynamodb(): Promise<CountedStore> {
  const elsewhere = process.env.LINKSPAN_TEST_DYNAMODB;
  const own = elsewhere === undefined ? await startDynalite() : undefined;
  const store = dynamoClient({
    endpoint: elsewhere ?? own?.url ?? "",
    region: "eu-west-1",
    credentials: { accessKeyId: `test${randomBytes(8).toString("hex")}`, secretAccessKey: "test" },
    maxAttempts: 1,
  });
  const operations: string[] = [];
  store.documents.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        operations.push(commandName ?? "");
        return next(args);
      },
    { step: "initialize", name: "countOperations" },
  );
  return {
    ...store,
    operations,
    async [Symbol.asyncDispose]() {
      store.documents.destroy();
      await own?.close();
    },
  };
}

async function startDynalite(): Promise<{ url: string; close: () => Promise<void> }> {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
