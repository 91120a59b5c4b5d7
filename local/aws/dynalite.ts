import { createRequire } from "node:module";
import { takeOverLevelDb } from "./level-db.ts";
import { AwsError, refuseUnknownParameters } from "./service.ts";
import { DatabaseInUse, openDatabase, type SqliteStore, sqliteStore } from "./sqlite-store.ts";
import { localAccountId, localRegion } from "./types.ts";

// dynalite's own HTTP server parses and checks each request again, and accepts connections from every host.
// Its parts, called in process, do neither. They have no types and no documentation: so package.json has an
// exact version, and front-door.test.ts proves that they work.
const require = createRequire(import.meta.url);
const database = require("dynalite/db") as DynaliteDatabase;
const validations = require("dynalite/validations") as DynaliteValidations;

export type Item = Record<string, Record<string, unknown>>;
export type Parameters = Record<string, unknown>;

/** A database in a folder. */
export interface Dynalite {
  /** Whether the local DynamoDB has this operation. */
  has(operation: string): boolean;
  /** Returns the parameters in dynalite's form. @throws {AwsError} they are not valid */
  check(operation: string, body: Parameters): Parameters;
  /** Performs the operation with checked parameters. @throws {AwsError} as DynamoDB would answer */
  perform(operation: string, data: Parameters): Promise<unknown>;
  close(): Promise<void>;
}

interface DynaliteError extends Error {
  readonly statusCode?: number;
  readonly body?: Record<string, unknown> & { __type: string };
}
interface DynaliteStore {
  readonly db: object;
  readonly tableDb: { awsAccountId: string; awsRegion: string };
}
interface DynaliteDatabase {
  create(options: { createTableMs: number }): DynaliteStore;
  checkConditional(data: Parameters, item: Item | undefined): DynaliteError | null | undefined;
}
interface DynaliteValidations {
  checkTypes(data: Parameters, types: Record<string, unknown>): Parameters;
  checkValidations(
    data: Parameters,
    types: Record<string, unknown>,
    custom: unknown,
    store: DynaliteStore,
  ): void;
}
interface DynaliteOperation {
  readonly types: Record<string, unknown>;
  readonly custom: unknown;
  act(
    store: DynaliteStore,
    data: Parameters,
    done: (error: DynaliteError | null, data: unknown) => void,
  ): void;
}

// Returns the item that a failed condition saw. DynamoDB has this parameter since 2023, dynalite does not.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html#DDB-UpdateItem-request-ReturnValuesOnConditionCheckFailure
const returnOnFailure = "ReturnValuesOnConditionCheckFailure";
const checkConditional = database.checkConditional;
database.checkConditional = (data, item) => {
  const failure = checkConditional(data, item);
  if (failure?.body !== undefined && item !== undefined && data[returnOnFailure] === "ALL_OLD")
    failure.body.Item = item;
  return failure;
};

const operationNames = [
  "BatchGetItem",
  "BatchWriteItem",
  "CreateTable",
  "DeleteItem",
  "DescribeTable",
  "GetItem",
  "PutItem",
  "Query",
  "Scan",
  "UpdateItem",
];
const readOperations = new Set(["BatchGetItem", "DescribeTable", "GetItem", "Query", "Scan"]);
const operations = new Map(operationNames.map((name) => [name, loadOperation(name)]));

function loadOperation(name: string): DynaliteOperation {
  const file = `${name.charAt(0).toLowerCase()}${name.slice(1)}.js`;
  const { types, custom } = require(`dynalite/validations/${file}`) as Pick<
    DynaliteOperation,
    "types" | "custom"
  >;
  return { types, custom, act: require(`dynalite/actions/${file}`) as DynaliteOperation["act"] };
}

/** An error whose body dynalite wrote. */
export class DynamoDbError extends AwsError {
  readonly body: Record<string, unknown>;

  constructor(status: number, body: Record<string, unknown> & { __type: string }) {
    super(status, body.__type.replace(/^.*#/, ""), String(body.message ?? body.Message ?? ""));
    this.body = body;
  }
}

function awsError(error: unknown): AwsError {
  const { statusCode, body, message } = error as DynaliteError;
  if (statusCode !== undefined && body !== undefined) return new DynamoDbError(statusCode, body);
  return new AwsError(500, "InternalServerError", message);
}

/**
 * Opens a database, or makes it if the folder is empty. Takes over the LevelDB data of an older version.
 * @throws {Error} another process has the database open, or it cannot be read
 */
export async function openDynalite(folder: string): Promise<Dynalite> {
  const sqlite = await openStore(folder);
  // SQLite replaces LevelDB, which loses acknowledged writes (ADR 0020). dynalite's own database in memory
  // stays empty: the SQLite store replaces each method that our operations call, and the two methods that
  // no operation calls are removed.
  const store = database.create({ createTableMs: 0 });
  Object.assign(store.db, sqlite, { batch: undefined, createKeyStream: undefined });
  Object.assign(store.tableDb, { awsAccountId: localAccountId, awsRegion: localRegion });
  return {
    has: (operation) => operations.has(operation),
    check: (operation, body) => checkParameters(store, operation, body),
    perform: async (name, data) => {
      const operation = operationCalled(name);
      return readOperations.has(name) ? read(store, operation, data) : write(store, sqlite, operation, data);
    },
    close: async () => sqlite.close(),
  };
}

async function openStore(folder: string): Promise<SqliteStore> {
  try {
    const opened = openDatabase(folder);
    try {
      await takeOverLevelDb(folder, opened);
      return sqliteStore(opened);
    } catch (error) {
      opened.close();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof DatabaseInUse))
      throw new Error(`cannot open ${folder}: ${(error as Error).message}`, { cause: error });
    throw new Error(`cannot open ${folder}: is another local platform using it?`, { cause: error });
  }
}

function read(store: DynaliteStore, operation: DynaliteOperation, data: Parameters): Promise<unknown> {
  return new Promise((resolve, reject) => {
    operation.act(store, data, (error, answer) => (error ? reject(awsError(error)) : resolve(answer)));
  });
}

/**
 * Writes an item and its indexes in one transaction. dynalite writes them one after the other and waits for
 * nothing else. The store answers in the same turn, so the operation has ended when `act` returns.
 */
function write(
  store: DynaliteStore,
  sqlite: SqliteStore,
  operation: DynaliteOperation,
  data: Parameters,
): unknown {
  try {
    return sqlite.atomically(() => {
      let outcome: { error: DynaliteError | null; answer: unknown } | undefined;
      operation.act(store, data, (error, answer) => {
        outcome = { error, answer };
      });
      if (outcome === undefined)
        throw new Error("dynalite has not ended a write in the same turn of the event loop");
      if (outcome.error) throw outcome.error;
      return outcome.answer;
    });
  } catch (error) {
    throw awsError(error);
  }
}

function operationCalled(name: string): DynaliteOperation {
  const operation = operations.get(name);
  if (operation === undefined) {
    throw new AwsError(400, "UnknownOperationException", `the local DynamoDB has no ${name}`);
  }
  return operation;
}

function checkParameters(store: DynaliteStore, name: string, body: Parameters): Parameters {
  const operation = operationCalled(name);
  const conditional = ["DeleteItem", "PutItem", "UpdateItem"].includes(name);
  const returned = body[returnOnFailure];
  refuseUnknownParameters(name, body, [
    ...Object.keys(operation.types),
    ...(conditional ? [returnOnFailure] : []),
  ]);
  try {
    const data = validations.checkTypes(body, operation.types);
    validations.checkValidations(data, operation.types, operation.custom, store);
    return conditional && returned !== undefined ? { ...data, [returnOnFailure]: returned } : data;
  } catch (error) {
    throw awsError(error);
  }
}
