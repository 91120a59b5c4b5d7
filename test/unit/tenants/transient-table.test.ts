import { randomUUID } from "node:crypto";
import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { transientTable } from "../../../functions/aws/transient-table.ts";
import type { TransientItem } from "../../../functions/core/transients.ts";
import { openTables } from "./open-tables.ts";

interface Item extends TransientItem {
  readonly state: string;
  readonly owner?: string;
  readonly bytes?: Uint8Array;
}

let now = 1_000_000;
let tables: Awaited<ReturnType<typeof openTables>>;
let store: ReturnType<typeof transientTable>;
beforeAll(async () => {
  tables = await openTables();
  store = transientTable({ client: tables.documents, tableName: "transients", clock: { now: () => now } });
});
afterAll(() => tables[Symbol.asyncDispose]());

const item = (id: string, more: Partial<Item> = {}): Item => ({
  id,
  expiresAt: now + 60_000,
  state: "open",
  ...more,
});

describe("the transients table", () => {
  it("puts an item once, and returns it unchanged", async () => {
    const one = item("a", { bytes: Uint8Array.from([1, 2, 255]) });
    expect(await store.put(one)).toBe(true);
    expect(await store.put({ ...one, state: "other" })).toBe(false);
    expect(await store.get("a")).toEqual(one);
  });

  it("gives DynamoDB the time of deletion in seconds", async () => {
    await store.put(item("ttl", { expiresAt: now + 1_500 }));
    const { Item } = await tables.documents.send(
      new GetCommand({ TableName: "transients", Key: { id: "ttl" } }),
    );
    expect(Item?.expires).toBe(Math.ceil((now + 1_500) / 1000));
  });

  it("returns an item to only one of several simultaneous consumers", async () => {
    await store.put(item("once"));
    const taken = await Promise.all(
      Array.from({ length: 8 }, () => store.consume<Item>("once", randomUUID())),
    );
    expect(taken.filter((each) => each !== undefined)).toHaveLength(1);
    expect(await store.consume("once", "me")).toBeUndefined();
  });

  it("returns a consumed item that is still stored only to its consumer; it can be put again", async () => {
    const taken = { ...item("taken"), expires: 1, takenBy: "me" };
    await tables.documents.send(new PutCommand({ TableName: "transients", Item: taken }));
    expect(await store.get("taken")).toBeUndefined();
    expect(await store.consume("taken", "another")).toBeUndefined();
    expect(await store.consume("taken", "me")).toEqual(item("taken"));
    await tables.documents.send(new PutCommand({ TableName: "transients", Item: taken }));
    expect(await store.put(item("taken"))).toBe(true);
    expect(await store.consume("taken", "another")).toEqual(item("taken"));
  });

  it("treats an expired item as deleted in every call, though it is still stored", async () => {
    for (const id of ["old-get", "old-consume", "old-replace", "old-put"]) await store.put(item(id));
    now += 60_000;
    expect(await store.get("old-get")).toBeUndefined();
    expect(await store.consume("old-consume", "me")).toBeUndefined();
    expect(await store.replace(item("old-replace"), { field: "state", seen: "open" })).toBe(false);
    expect(await store.put(item("old-put", { state: "new" }))).toBe(true);
    expect(await store.get<Item>("old-put")).toMatchObject({ state: "new" });
  });

  it("replaces an item only if it has not changed since it was read", async () => {
    await store.put(item("session"));
    const bound = item("session", { owner: "browser" });
    expect(await store.replace<Item>(bound, { field: "owner", seen: undefined })).toBe(true);
    expect(await store.replace<Item>(bound, { field: "owner", seen: undefined })).toBe(false);
    expect(await store.replace<Item>({ ...bound, state: "done" }, { field: "state", seen: "open" })).toBe(
      true,
    );
    expect(await store.replace<Item>({ ...bound, state: "done" }, { field: "state", seen: "open" })).toBe(
      false,
    );
    expect(await store.replace<Item>(item("nobody"), { field: "state", seen: undefined })).toBe(false);
  });

  it("removes an item, whether it exists or not", async () => {
    await store.put(item("gone"));
    await store.remove("gone");
    await store.remove("gone");
    expect(await store.get("gone")).toBeUndefined();
  });
});
