import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Dynalite, openDynalite } from "../../../local/aws/dynalite.ts";
import { localDynamoDb, templateTable } from "../../../local/aws/dynamodb.ts";
import { openDatabase, sqliteStore } from "../../../local/aws/sqlite-store.ts";
import type { AwsTable } from "../../../local/aws/types.ts";
import { readAssembly, readTemplate } from "../../../local/template.ts";
import { openLevelStore } from "./level-store.ts";
import { readWhatWasWritten } from "./read-what-was-written.ts";

const writeUntilKilled = fileURLToPath(new URL("write-until-killed.ts", import.meta.url));
const openStore = fileURLToPath(new URL("open-store.ts", import.meta.url));
const assembly = fileURLToPath(new URL("../../../cdk.out", import.meta.url));

let folder: string;
let opened: { close(): unknown }[] = [];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "linkspan-store-"));
});
afterEach(async () => {
  for (const each of opened) await each.close();
  opened = [];
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

async function open(): Promise<Dynalite> {
  const store = await openDynalite(folder);
  opened.push(store);
  return store;
}

/** The tables of the stacks. */
async function stacksTables(): Promise<readonly AwsTable[]> {
  return readTemplate(await readAssembly(assembly), { queueUrl: (name) => `http://127.0.0.1/${name}` })
    .tables;
}

const values = {
  text: { S: "naïve ☕ \u0000 \ud83d\ude80" },
  number: { N: "-12345678901234567890.5" },
  bytes: { B: Buffer.from([0, 1, 254, 255]).toString("base64") },
  truth: { BOOL: true },
  nothing: { NULL: true },
  texts: { SS: ["a", "b"] },
  numbers: { NS: ["1", "2"] },
  list: { L: [{ S: "" }, { M: { deep: { N: "1" } } }] },
  map: { M: { inner: { S: "x" } } },
  long: { S: "y".repeat(3_000) },
};

/** An item with all keys of the table and its indexes, and values of every type. */
function itemOf(table: AwsTable, number: number): Record<string, object> {
  const keys = table.attributeDefinitions.map(({ AttributeName, AttributeType }) => [
    AttributeName,
    { [String(AttributeType)]: AttributeType === "N" ? String(number % 7) : `value ${number % 7}` },
  ]);
  const [first] = table.keySchema;
  const type = table.attributeDefinitions.find(
    ({ AttributeName }) => AttributeName === first?.AttributeName,
  )?.AttributeType;
  const own = { [String(first?.AttributeName)]: { [String(type)]: String(number) } };
  return { ...values, ...Object.fromEntries(keys), ...own };
}

/** Everything in the tables of a store: the descriptions, the items, and every index. */
async function everything(
  perform: (operation: string, data: object) => Promise<unknown>,
  tables: readonly AwsTable[],
): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const { name, globalSecondaryIndexes = [] } of tables) {
    all.push(await perform("DescribeTable", { TableName: name }));
    for (const index of [undefined, ...globalSecondaryIndexes.map(({ IndexName }) => IndexName)]) {
      const IndexName = index === undefined ? {} : { IndexName: index };
      const { Items, Count } = (await perform("Scan", { TableName: name, ...IndexName })) as {
        Items: unknown[];
        Count: number;
      };
      expect(Count).toBeGreaterThan(0);
      all.push(Items);
    }
  }
  return all;
}

/** A folder as an older version left it. */
async function levelFolder(items: number): Promise<{ tables: readonly AwsTable[]; before: unknown[] }> {
  const tables = await stacksTables();
  const level = await openLevelStore(folder);
  for (const table of tables) {
    await level.perform("CreateTable", templateTable(table));
    while (
      (
        (await level.perform("DescribeTable", { TableName: table.name })) as {
          Table: { TableStatus: string };
        }
      ).Table.TableStatus !== "ACTIVE"
    )
      await new Promise((resolve) => setImmediate(resolve));
    for (let number = 0; number < items; number++)
      await level.perform("PutItem", { TableName: table.name, Item: itemOf(table, number) });
  }
  const before = await everything(level.perform, tables);
  await level.db.close();
  return { tables, before };
}

const levelFiles = (): string[] => readdirSync(folder).filter((name) => !name.startsWith("tables.sqlite"));
/** Puts the folder's LevelDB files back beside the database. */
async function withLevelFilesBeside(act: () => Promise<void>): Promise<void> {
  const copy = `${folder}-copy`;
  cpSync(folder, copy, { recursive: true });
  await act();
  cpSync(copy, folder, { recursive: true, filter: (from) => !from.includes("tables.sqlite") });
  await rm(copy, { recursive: true });
}

describe("the store of the local tables", () => {
  it("returns what was written last, also while a slow reader has an open iterator", {
    timeout: 30_000,
  }, async () => {
    const database = openDatabase(folder);
    const store = sqliteStore(database);
    opened.push(store);
    const seen = await readWhatWasWritten(store, 6_000);
    expect(seen).toMatchObject({ stale: 0, wrongIterators: 0 });
    expect(seen.rounds).toBeGreaterThan(5_000);
    expect(seen.iterators).toBeGreaterThan(3);
  });

  // The reason why the tables are no longer in LevelDB; takes a minute or two, and some luck: LINKSPAN_TEST_LEVELDB=1.
  it.runIf(process.env.LINKSPAN_TEST_LEVELDB === "1")(
    "would return old values with LevelDB",
    { timeout: 400_000 },
    async () => {
      const { db } = await openLevelStore(folder);
      opened.push(db);
      const seen = await readWhatWasWritten(db, 300_000, ({ stale }) => stale > 0);
      console.log("LevelDB:", seen);
      expect(seen.stale).toBeGreaterThan(0);
    },
  );

  it("returns a range in order, forwards and backwards, each key once, in several pieces too", async () => {
    const store = sqliteStore(openDatabase(folder));
    opened.push(store);
    // More than one piece holds.
    const filler = "x".repeat(100_000);
    const keys = Array.from({ length: 120 }, (_, index) => `k${String(index).padStart(3, "0")}`);
    for (const key of keys) store.put(key, { key, filler }, (error) => expect(error).toBeNull());
    const range = async (of: Parameters<typeof store.createValueStream>[0]): Promise<string[]> =>
      (await store.createValueStream(of).toArray()).map((value: { key: string }) => value.key);

    expect(await range({})).toEqual(keys);
    expect(await range({ reverse: true, limit: -1 })).toEqual(keys.toReversed());
    expect(await range({ gt: "k003", lte: "k110", limit: 100 })).toEqual(keys.slice(4, 104));
    expect(await range({ gte: "k003", lt: "k110", reverse: true })).toEqual(keys.slice(3, 110).toReversed());
    expect(await range({ gte: "k1~", lt: "k2" })).toEqual([]);
    expect(await range({ limit: 0 })).toEqual([]);
  });

  it("lets writers write while a range is read; a piece shows the values of one moment", async () => {
    const store = sqliteStore(openDatabase(folder));
    opened.push(store);
    for (let number = 0; number < 100; number++)
      store.put(`k${number + 100}`, { number, turn: 1 }, () => undefined);
    const read: { turn: number }[] = [];
    for await (const value of store.createValueStream({})) {
      if (read.length === 0)
        for (let number = 0; number < 100; number++)
          store.put(`k${number + 100}`, { number, turn: 2 }, (error) => expect(error).toBeNull());
      read.push(value as { turn: number });
    }
    expect(read.map(({ turn }) => turn)).toEqual(Array.from({ length: 100 }, () => 1));
  });

  it("keeps every acknowledged write and consistent indexes when its process is killed", async () => {
    const child = spawn(process.execPath, [writeUntilKilled, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let last = 0;
    let refused: Promise<unknown> | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line);
      refused ??= openDynalite(folder).then(
        () => "opened",
        (error: Error) => error.message,
      );
      if (last === 1500) child.kill("SIGKILL");
    }
    expect(last).toBeGreaterThanOrEqual(1500);
    expect(await refused).toBe(`cannot open ${folder}: is another local platform using it?`);

    const store = await open();
    const scan = async (more: object): Promise<{ id: { N: string }; group: { N: string } }[]> =>
      (
        (await store.perform("Scan", { TableName: "counters", ...more })) as {
          Items: { id: { N: string }; group: { N: string } }[];
        }
      ).Items;
    const found = new Map((await scan({})).map(({ id, group }) => [Number(id.N), Number(group.N)]));
    expect(found.size).toBe(50);
    for (let number = last - 49; number <= last; number++)
      expect(found.get(number % 50), `write ${number}`).toBeGreaterThanOrEqual(number);
    const index = (await scan({ IndexName: "byGroup" })).map(({ id, group }) => [
      Number(id.N),
      Number(group.N),
    ]);
    expect(index.toSorted()).toEqual([...found].toSorted());
  });

  it("writes nothing when an item's write fails in the middle", async () => {
    const [table] = await stacksTables();
    if (table === undefined) throw new Error("no table");
    const service = await localDynamoDb(folder, [table]);
    await service.close();
    const breaking = new DatabaseSync(path.join(folder, "tables.sqlite"));
    breaking.exec(
      "CREATE TRIGGER broken BEFORE INSERT ON entries WHEN NEW.key LIKE 'item-%' BEGIN SELECT RAISE(FAIL, 'disk full'); END",
    );
    breaking.close();
    const store = await open();
    await expect(store.perform("PutItem", { TableName: table.name, Item: itemOf(table, 1) })).rejects.toThrow(
      "disk full",
    );
    await store.close();
    const entries = new DatabaseSync(path.join(folder, "tables.sqlite"));
    expect(entries.prepare("SELECT key FROM entries WHERE key NOT LIKE 'table~%'").all()).toEqual([]);
    entries.close();
  });

  it("is readable by its user only", async () => {
    const parent = folder;
    folder = path.join(parent, "dynamodb");
    mkdirSync(folder);
    const store = await open();
    await store.perform("CreateTable", templateTable((await stacksTables())[0] as AwsTable));
    const files = readdirSync(folder);
    expect(files).toEqual(expect.arrayContaining(["tables.sqlite", "tables.sqlite-wal"]));
    for (const file of files) expect(statSync(path.join(folder, file)).mode & 0o077, file).toBe(0);
  });

  it("cannot be opened twice", async () => {
    await open();
    await expect(openDynalite(folder)).rejects.toThrow(
      `cannot open ${folder}: is another local platform using it?`,
    );
  });
});

describe("tables that an older version kept in LevelDB", () => {
  it("are copied unchanged: every table, index and type of value", async () => {
    const { tables, before } = await levelFolder(20);
    expect(tables.length).toBeGreaterThanOrEqual(3);
    expect(levelFiles()).toContain("CURRENT");
    // Opens the tables with the keys of the stacks: other keys would be refused.
    await (await localDynamoDb(folder, tables)).close();
    expect(levelFiles()).toEqual([]);
    const store = await open();
    expect(await everything((name, data) => store.perform(name, { ...data }), tables)).toEqual(before);
  });

  it("are copied by the next start when a start was killed in the middle", { timeout: 60_000 }, async () => {
    const { tables, before } = await levelFolder(300);
    const child = spawn(process.execPath, [openStore, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let ended = false;
    void once(child, "exit").then(() => {
      ended = true;
    });
    const log = path.join(folder, "tables.sqlite-wal");
    while (!ended && (statSync(log, { throwIfNoEntry: false })?.size ?? 0) < 100_000)
      await new Promise((resolve) => setImmediate(resolve));
    child.kill("SIGKILL");
    if (!ended) await once(child, "exit");

    const store = await open();
    expect(await everything((name, data) => store.perform(name, { ...data }), tables)).toEqual(before);
    expect(levelFiles()).toEqual([]);
  });

  it("are removed after the copy, by the next start if the first one was killed before that", async () => {
    const { tables, before } = await levelFolder(3);
    await withLevelFilesBeside(async () => {
      await (await openDynalite(folder)).close();
    });
    const database = new DatabaseSync(path.join(folder, "tables.sqlite"));
    // The state in which the tables are copied but not removed yet.
    database.exec("PRAGMA user_version = 1");
    database.close();
    const store = await open();
    expect(levelFiles()).toEqual([]);
    expect(await everything((name, data) => store.perform(name, { ...data }), tables)).toEqual(before);
  });

  it("are refused while the older version runs, and not changed", async () => {
    await levelFolder(1);
    const level = await openLevelStore(folder);
    await expect(openDynalite(folder)).rejects.toThrow(
      `cannot open ${folder}: is another local platform using it?`,
    );
    expect(existsSync(path.join(folder, "CURRENT"))).toBe(true);
    await level.db.close();
    await open();
  });

  it("are refused, with the two ways to continue, when the older version has run again after the copy", async () => {
    await levelFolder(1);
    await withLevelFilesBeside(async () => {
      await (await openDynalite(folder)).close();
    });
    await expect(openDynalite(folder)).rejects.toThrow(
      /older version of Linkspan has used this folder.*delete/,
    );
    await rm(path.join(folder, "CURRENT"));
    await open();
  });

  it("are refused with a clear error when they are broken, and not changed", async () => {
    await levelFolder(1);
    const manifest = levelFiles().find((name) => name.startsWith("MANIFEST")) ?? "";
    await rm(path.join(folder, manifest));
    const files = levelFiles();
    await expect(openDynalite(folder)).rejects.toThrow(
      /older version kept there cannot be read.*move the folder away/,
    );
    expect(levelFiles()).toEqual(expect.arrayContaining(files.filter((name) => !name.endsWith(".old"))));
  });
});
