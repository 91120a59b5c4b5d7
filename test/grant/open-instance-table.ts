import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { countInstances, dueIndex } from "../../functions/aws/instances/indexes.ts";
import { instanceTable, pendingTable } from "../../functions/aws/instances/table.ts";
import type {
  DueIndex,
  InstanceStore,
  InstanceSuspension,
} from "../../functions/core/instances/instance-store.ts";
import type {
  PendingLists,
  PendingRemoval,
  PendingSignIns,
} from "../../functions/core/instances/pending-store.ts";
import { type CountedStore, openDynamodb } from "../open-dynamodb.ts";
import { MemoryTables } from "./memory/memory-tables.ts";

export const TABLE = "instances";

/** What the tests of both tables use, in DynamoDB and in memory. */
export interface OpenTables {
  readonly instances: InstanceStore & InstanceSuspension;
  readonly pendings: PendingSignIns & PendingRemoval & PendingLists;
  readonly due: DueIndex;
  readonly count: (connector: string) => Promise<number>;
  /** Names of the operations so far; only for the table in DynamoDB. */
  readonly operations?: readonly string[];
  readonly now: () => number;
  readonly close: () => Promise<void>;
}

const SHARDS = 4;

/** The instances table as it is deployed, and the tests' own in memory. */
export const tables: readonly (readonly [name: string, open: () => Promise<OpenTables>])[] = [
  ["in DynamoDB", inDynamodb],
  ["in memory", inMemory],
];

async function inDynamodb(): Promise<OpenTables> {
  const opened = await openTable();
  const options = { client: opened.documents, tableName: TABLE, shards: SHARDS };
  return {
    instances: instanceTable(options),
    pendings: pendingTable(options),
    due: dueIndex(options),
    count: countInstances(options),
    operations: opened.operations,
    now: () => opened.clock.now(),
    close: async () => await opened[Symbol.asyncDispose](),
  };
}

async function inMemory(): Promise<OpenTables> {
  const reading = () => ({ dateMs: Math.floor(Date.now() / 1000) * 1000, monotonicMs: performance.now() });
  const memory = new MemoryTables({ reading, shards: SHARDS });
  return {
    instances: memory.instances,
    pendings: memory.pendingSignIns,
    due: memory.due,
    count: (connector) => memory.count(connector),
    now: () => Date.now(),
    close: async () => {},
  };
}

/** Opens a new, empty instances table. */
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
