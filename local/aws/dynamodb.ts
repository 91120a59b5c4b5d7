import { mkdir } from "node:fs/promises";
import { type Dynalite, DynamoDbError, type Item, openDynalite, type Parameters } from "./dynalite.ts";
import {
  type AccessNeed,
  AwsError,
  type AwsOperation,
  type AwsRequest,
  type AwsService,
  jsonAnswer,
  jsonBody,
  targetOperation,
} from "./service.ts";
import { type AwsTable, localAccountId, localRegion } from "./types.ts";

/**
 * DynamoDB, by dynalite on SQLite: tables and items survive a restart.
 * @param folder the database's folder; only one process at a time may have it open
 * @throws {Error} the folder is in use, or holds a table with other keys or indexes than the template's
 */
export async function localDynamoDb(folder: string, tables: readonly AwsTable[]): Promise<AwsService> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const dynalite = await openDynalite(folder);
  try {
    for (const table of tables) await makeTable(dynalite, folder, table);
  } catch (error) {
    await dynalite.close();
    throw error;
  }

  return {
    name: "dynamodb",
    // DynamoDB accepts 16 MB for batches; Linkspan's requests are far below 1 MB.
    bodyLimit: 1024 * 1024,
    errors: {
      accessDenied: [400, "AccessDeniedException"],
      unknownAccessKey: [400, "UnrecognizedClientException"],
      badSignature: [400, "InvalidSignatureException"],
      throttled: [400, "ProvisionedThroughputExceededException"],
      internal: [500, "InternalServerError"],
    },
    read(request: AwsRequest): AwsOperation {
      const name = targetOperation(request, "DynamoDB_20120810");
      if (!dynalite.has(name) || name === "CreateTable") {
        throw new AwsError(400, "UnknownOperationException", `the local DynamoDB has no ${name}`);
      }
      // Parameters are checked before permissions (a guess: no page says which check comes first).
      const data = dynalite.check(name, jsonBody(request));
      return {
        needs: accessNeeds(name, data, tables),
        act: async () => jsonAnswer("1.0", 200, await dynalite.perform(name, data)),
      };
    },
    errorAnswer: (error) =>
      jsonAnswer(
        "1.0",
        error.status,
        error instanceof DynamoDbError
          ? error.body
          : { __type: `com.amazonaws.dynamodb.v20120810#${error.code}`, message: error.message },
      ),
    close: () => dynalite.close(),
  };
}

/**
 * Actions, resources and condition keys of each operation; a query of an index needs permission for the
 * index, not for the table.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 */
function accessNeeds(name: string, data: Parameters, tables: readonly AwsTable[]): AwsOperation["needs"] {
  const action = `dynamodb:${name}`;
  if (name === "BatchGetItem" || name === "BatchWriteItem") {
    const needs = Object.entries(data.RequestItems as Record<string, unknown>).map(
      ([table, requests]): AccessNeed => {
        const keys =
          name === "BatchGetItem"
            ? (requests as { Keys: Item[] }).Keys
            : (requests as { PutRequest?: { Item: Item }; DeleteRequest?: { Key: Item } }[]).map(
                (request) => request.PutRequest?.Item ?? request.DeleteRequest?.Key ?? {},
              );
        return { action, resource: tableArn(table), context: leadingKeys(keys, partitionKey(tables, table)) };
      },
    );
    // `check` refuses an empty batch.
    return needs as [AccessNeed, ...AccessNeed[]];
  }
  const table = String(data.TableName);
  const index = data.IndexName === undefined ? undefined : String(data.IndexName);
  const resource = index === undefined ? tableArn(table) : `${tableArn(table)}/index/${index}`;
  const key = data.Key ?? data.Item;
  const attribute = partitionKey(tables, table, index);
  if (key !== undefined) return [{ action, resource, context: leadingKeys([key as Item], attribute) }];
  const conditions = data.KeyConditions as Record<string, { AttributeValueList: Item[string][] }> | undefined;
  const value = attribute === undefined ? undefined : conditions?.[attribute]?.AttributeValueList[0];
  if (attribute === undefined || value === undefined) return [{ action, resource }];
  return [{ action, resource, context: leadingKeys([{ [attribute]: value }], attribute) }];
}

/** `dynamodb:LeadingKeys`: the partition keys that a request names. */
function leadingKeys(keys: readonly Item[], attribute: string | undefined): Record<string, string[]> {
  const values = keys.flatMap((key) =>
    Object.values((attribute === undefined ? undefined : key[attribute]) ?? {}),
  );
  return { "dynamodb:leadingkeys": values.map(String) };
}

function partitionKey(tables: readonly AwsTable[], name: string, index?: string): string | undefined {
  const table = tables.find((candidate) => candidate.name === name);
  const keySchema =
    index === undefined
      ? table?.keySchema
      : table?.globalSecondaryIndexes?.find((candidate) => candidate.IndexName === index)?.KeySchema;
  return keySchema?.find((key) => key.KeyType === "HASH")?.AttributeName;
}

function tableArn(name: string): string {
  return `arn:aws:dynamodb:${localRegion}:${localAccountId}:table/${name}`;
}

async function makeTable(dynalite: Dynalite, folder: string, table: AwsTable): Promise<void> {
  const found = (await dynalite
    .perform("DescribeTable", { TableName: table.name })
    .catch((error: AwsError) => {
      if (error.code === "ResourceNotFoundException") return undefined;
      throw error;
    })) as { Table: Parameters } | undefined;
  if (found !== undefined) {
    if (tableShape(found.Table) === tableShape(templateTable(table))) return;
    throw new Error(
      `the table ${table.name} in ${folder} has other keys or indexes than the template: start with an empty data folder`,
    );
  }
  await dynalite.perform("CreateTable", dynalite.check("CreateTable", templateTable(table)));
  await tableActive(dynalite, table.name);
}

/** The parameters of CreateTable for a table of the template. */
export function templateTable(table: AwsTable): Parameters {
  const indexes = table.globalSecondaryIndexes ?? [];
  return structuredClone({
    TableName: table.name,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: table.attributeDefinitions,
    KeySchema: table.keySchema,
    ...(indexes.length > 0 && {
      GlobalSecondaryIndexes: indexes.map(({ IndexName, KeySchema, Projection }) => ({
        IndexName,
        KeySchema,
        Projection,
      })),
    }),
  });
}

/** The properties in which an existing table must equal the template's table. */
function tableShape(table: Parameters): string {
  const indexes = (table.GlobalSecondaryIndexes ?? []) as {
    IndexName: string;
    KeySchema: unknown;
    Projection: { ProjectionType: string; NonKeyAttributes?: string[] };
  }[];
  const definitions = table.AttributeDefinitions as { AttributeName: string; AttributeType: string }[];
  return JSON.stringify([
    keyPairs(table.KeySchema),
    definitions.map((definition) => `${definition.AttributeName}:${definition.AttributeType}`).sort(),
    indexes
      .map(({ IndexName, KeySchema, Projection }) =>
        JSON.stringify([
          IndexName,
          keyPairs(KeySchema),
          Projection.ProjectionType,
          [...(Projection.NonKeyAttributes ?? [])].sort(),
        ]),
      )
      .sort(),
  ]);
}

function keyPairs(schema: unknown): string[] {
  return (schema as { AttributeName: string; KeyType: string }[]).map(
    (key) => `${key.KeyType}:${key.AttributeName}`,
  );
}

/** dynalite makes a table active in a later turn of the event loop. */
async function tableActive(dynalite: Dynalite, name: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const { Table } = (await dynalite.perform("DescribeTable", { TableName: name })) as {
      Table: { TableStatus: string };
    };
    if (Table.TableStatus === "ACTIVE") return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`the table ${name} did not become active within 10 s`);
}
