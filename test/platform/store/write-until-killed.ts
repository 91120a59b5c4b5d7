import { openDynalite } from "../../../local/aws/dynalite.ts";

/**
 * A separate process that writes items for ever, and prints the number of each write after it is acknowledged. The item's
 * group is the same number, so that an index that differs from its table can be seen.
 */
const [folder = ""] = process.argv.slice(2);
const store = await openDynalite(folder);
await store.perform("CreateTable", {
  TableName: "counters",
  AttributeDefinitions: [
    { AttributeName: "id", AttributeType: "N" },
    { AttributeName: "group", AttributeType: "N" },
  ],
  KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
  GlobalSecondaryIndexes: [
    {
      IndexName: "byGroup",
      KeySchema: [{ AttributeName: "group", KeyType: "HASH" }],
      Projection: { ProjectionType: "ALL" },
    },
  ],
});
await new Promise((resolve) => setTimeout(resolve, 10));
const filler = { S: "x".repeat(1500) };
for (let number = 1; ; number++) {
  const id = { N: String(number % 50) };
  await store.perform("PutItem", {
    TableName: "counters",
    Item: { id, group: { N: String(number) }, filler },
  });
  process.stdout.write(`${number}\n`);
  if (number % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
}
