import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { openDynamodb } from "../../open-dynamodb.ts";

/** Opens new tables `tenants` and `transients`. */
export async function openTables(): ReturnType<typeof openDynamodb> {
  const store = await openDynamodb();
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
  return store;
}

/** How often a store was read. */
export function readsOf({ operations }: Awaited<ReturnType<typeof openTables>>): number {
  return operations.filter((operation) => /^(Get|Query)/.test(operation)).length;
}
