import { createSecretKey, randomBytes } from "node:crypto";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { itemOf } from "../../../functions/aws/instances/item.ts";
import { instanceTable } from "../../../functions/aws/instances/table.ts";
import {
  budgets,
  checkConfiguration,
  checkText,
  configurationBytes,
  ITEM_BYTES,
  itemBytes,
  jsonBytes,
} from "../../../functions/core/instances/budgets.ts";
import type { Instance, ReplacedGrant, Sealed } from "../../../functions/core/instances/instance.ts";
import type { InstanceStore } from "../../../functions/core/instances/instance-store.ts";
import { StoreRefused } from "../../../functions/core/store-refused.ts";
import { sealWith } from "../../../functions/core/vault/sealed-format.ts";
import { openTable, TABLE } from "../../grant/open-instance-table.ts";
import type { CountedStore } from "../../open-dynamodb.ts";

const key = createSecretKey(randomBytes(32));
/** One character, three bytes of UTF-8. */
const WIDE = "€";

/** The sealed form of a text of `bytes` bytes. */
function sealedOf(bytes: number): Sealed {
  const place = { organizationId: "org", item: "instance/42", field: "grant", version: 1 };
  return sealWith(key, "k".repeat(40), place, "x".repeat(bytes));
}

/** Secret values with the longest possible names, which are stored twice. */
function worstSecrets(): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (let count = 0; jsonBytes(secrets) < budgets.configuration; count++) {
    secrets[`password${String(count).padStart(12, "0")}${"n".repeat(180)}`] = "x";
  }
  return secrets;
}

function worstReplaced(): ReplacedGrant[] {
  const grant = sealedOf(budgets.grant);
  const one = { version: 2 ** 52, grant, at: 2 ** 52 };
  return Array.from({ length: Math.floor(budgets.replacedGrants / itemBytes(one)) }, () => one);
}

/** An instance with every attribute as large as its budget allows. */
function worstInstance(): Instance {
  const secrets = worstSecrets();
  const id = 2 ** 48 - 1;
  return {
    id,
    organizationId: "f".repeat(24),
    userId: "f".repeat(24),
    connector: "c".repeat(64),
    name: WIDE.repeat(200),
    tags: [WIDE.repeat(Math.floor(budgets.tags / 3))],
    createdAt: 2 ** 52,
    updatedAt: 2 ** 52,
    configuration: {
      "site.address": "s".repeat(budgets.hostValue),
      subdomain: "s".repeat(budgets.hostValue),
      "oauth.callback.url": "u".repeat(budgets.redirectUri),
      // Plain values cost less, because the names of secret values are stored twice.
    },
    secretConfigurationKeys: Object.keys(secrets),
    sealedConfiguration: sealedOf(jsonBytes(secrets)),
    tokenHashes: [{ hash: "h".repeat(43) }, { hash: "h".repeat(43), until: 2 ** 52 }],
    fence: 2 ** 52,
    version: 2 ** 52,
    until: 2 ** 52,
    epoch: `${"9".repeat(15)}-${"h".repeat(43)}`,
    grant: sealedOf(budgets.grant),
    replacedGrants: worstReplaced(),
    deadVersion: 2 ** 52,
    enabled: true,
    refreshShard: 2 ** 20,
    dueAt: 2 ** 52,
    dueSince: 2 ** 52,
    refreshGroup: "g".repeat(128),
    consentKey: "k".repeat(160),
    lastRefreshedAt: 2 ** 52,
    lastUsedAt: 2 ** 52,
    attempts: 2 ** 31,
    retryAt: 2 ** 52,
    // A vendor's words, shortened.
    lastError: WIDE.repeat(700),
    account: {
      id: "i".repeat(budgets.accountId),
      name: "n".repeat(budgets.accountName),
      email: "e".repeat(budgets.accountEmail),
      facts: { f: "f".repeat(budgets.accountFacts - 8) },
    },
    appState: WIDE.repeat(2_000),
  };
}

let store: CountedStore;
let table: InstanceStore;
beforeAll(async () => {
  store = await openTable();
  table = instanceTable({ client: store.documents, tableName: TABLE, shards: 4 });
});
afterAll(() => store[Symbol.asyncDispose]());

describe("all budgets together", () => {
  test("leave an item room for one more grant", () => {
    const bytes = itemBytes(itemOf(worstInstance(), 4) as unknown as Record<string, unknown>);
    expect(bytes + budgets.grant).toBeLessThan(ITEM_BYTES);
    // The sum is meaningful only if each part is as large as it can be.
    expect(bytes).toBeGreaterThan(
      2 * budgets.configuration + budgets.tags + budgets.grant + budgets.replacedGrants * 0.75,
    );
  });

  test("fit into the table, and so does the largest grant afterwards", async () => {
    const worst = worstInstance();
    const { id, version, fence } = worst;
    expect(await table.create(worst)).toBe(true);
    const grant = sealedOf(budgets.grant);
    const refreshedAt = 2 ** 52;
    expect(await table.commit(id, { version }, { fence: fence + 1, grant, refreshedAt })).toBe(true);
  });
});

describe("the size of an item", () => {
  const item = (bytes: number) => {
    const rest = { instanceId: 2 ** 48, item: "size", list: ["a", WIDE], map: { k: "v", deep: { b: true } } };
    const sealed = new Uint8Array(100_000);
    const fixed = itemBytes({ ...rest, sealed, text: "" });
    return { ...rest, sealed, text: "x".repeat(bytes - fixed) };
  };
  const put = (bytes: number) =>
    store.documents.send(new PutCommand({ TableName: TABLE, Item: item(bytes) }));

  test("is never counted smaller than the table counts it, and not much larger", async () => {
    await expect(put(ITEM_BYTES)).resolves.toBeDefined();
    // A number counts here with the longest length of a number.
    await expect(put(ITEM_BYTES + 21)).rejects.toThrow(/size/);
  });
});

describe("a write that the table never accepts", () => {
  const large = { ...worstInstance(), id: 7, configuration: { filler: "x".repeat(300_000) } };

  test("is refused for good, for a new item, a change and a grant", async () => {
    await expect(table.create(large)).rejects.toBeInstanceOf(StoreRefused);
    const small = { ...worstInstance(), id: 8 };
    await table.create(small);
    const { configuration } = large;
    await expect(table.update(8, { configuration }, 1)).rejects.toMatchObject({ tooLarge: true });
    const won = { fence: 9, grant: sealedOf(300_000), refreshedAt: 1 };
    await expect(table.commit(8, { version: small.version }, won)).rejects.toBeInstanceOf(StoreRefused);
    expect((await table.get(8)).value?.version).toBe(small.version);
  });

  test("is an ordinary error when the table does not answer", async () => {
    await using gone = await openTable();
    const elsewhere = instanceTable({ client: gone.documents, tableName: "nowhere", shards: 4 });
    const failure = await elsewhere.create(worstInstance()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(StoreRefused);
  });
});

describe("a configuration", () => {
  const plain = (bytes: number) => ({ plain: { a: "x".repeat(bytes - 10) }, secret: {} });

  test("is counted in bytes, names and secret values included", () => {
    expect(configurationBytes(plain(100))).toBe(100);
    expect(configurationBytes({ plain: { a: WIDE }, secret: { b: WIDE } })).toBe(2 * jsonBytes({ a: WIDE }));
    expect(() => checkConfiguration(plain(budgets.configuration))).not.toThrow();
    expect(() => checkConfiguration(plain(budgets.configuration + 1))).toThrow(/configuration is too large/);
  });

  test("that is older than the budget may keep its size or shrink, but not grow", () => {
    const stored = configurationBytes(plain(100_000));
    expect(() => checkConfiguration(plain(100_000), stored)).not.toThrow();
    expect(() => checkConfiguration(plain(50_000), stored)).not.toThrow();
    expect(() => checkConfiguration(plain(100_001), stored)).toThrow(/too large/);
  });
});

test("a text is measured in bytes and not in characters", () => {
  expect(() => checkText(WIDE.repeat(10), 30, "apiKey")).not.toThrow();
  expect(() => checkText(WIDE.repeat(10), 29, "apiKey")).toThrow(/apiKey is too long: at most 29 bytes/);
});
