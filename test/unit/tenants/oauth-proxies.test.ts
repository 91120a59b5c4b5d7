import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { oauthProxies } from "../../../functions/aws/tenants/oauth-proxies.ts";
import { tenantRecords } from "../../../functions/aws/tenants/records.ts";
import { type OAuthProxy, oauthProxyId } from "../../../functions/core/tenants/oauth-proxies.ts";
import { openTables } from "./open-tables.ts";

let tables: Awaited<ReturnType<typeof openTables>>;
let store: ReturnType<typeof oauthProxies>;
beforeAll(async () => {
  tables = await openTables();
  store = oauthProxies({ client: tables.documents, tableName: "tenants" });
});
afterAll(() => tables[Symbol.asyncDispose]());

const proxy = (organizationId: string, name: string, applicationUrls: string[] = []): OAuthProxy => ({
  id: oauthProxyId(organizationId, name),
  organizationId,
  name,
  applicationUrls,
  revision: 0,
  createdAt: 1_000,
});

describe("the OAuth proxies of an organization", () => {
  it("have ids that JavaScript numbers hold, one for each name of each organization", () => {
    const ids = ["one", "two"].flatMap((org) => ["a", "b", "A"].map((name) => oauthProxyId(org, name)));
    expect(new Set(ids).size).toBe(6);
    for (const id of ids) expect(Number.isSafeInteger(id) && id > 0).toBe(true);
    // Neither part can be moved into the other one.
    expect(oauthProxyId("one\nx", "a")).not.toBe(oauthProxyId("one", "x\nb"));
  });

  it("are created once, also by several at the same time", async () => {
    const one = proxy("create", "a", ["https://app.example/"]);
    const made = await Promise.all(Array.from({ length: 5 }, () => store.create(one)));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await store.get("create", one.id)).toEqual(one);
  });

  it("are listed for their own organization only", async () => {
    const [a, b, foreign] = [proxy("list", "a"), proxy("list", "b"), proxy("list2", "a")];
    for (const each of [a, b, foreign]) await store.create(each);
    expect(new Set(await store.list("list"))).toEqual(new Set([a, b]));
    expect(await store.get("list2", a.id)).toBeUndefined();
    expect(await store.remove("list2", a.id)).toBe(false);
  });

  it("change their URLs only if nobody else has changed them since", async () => {
    const seen = proxy("change", "a");
    await store.create(seen);
    expect(await store.replaceUrls(seen, ["https://one.example/"])).toBe(true);
    expect(await store.replaceUrls(seen, ["https://two.example/"])).toBe(false);
    const now = await store.get("change", seen.id);
    expect(now?.applicationUrls).toEqual(["https://one.example/"]);
    expect(await store.replaceUrls(now ?? seen, ["https://one.example/", "https://two.example/"])).toBe(true);
    await store.remove("change", seen.id);
    expect(await store.replaceUrls(seen, ["https://two.example/"])).toBe(false);
    expect(await store.get("change", seen.id)).toBeUndefined();
  });

  it("are deleted with their organization", async () => {
    await store.create(proxy("gone", "a"));
    const records = tenantRecords({ client: tables.documents, tableName: "tenants" });
    await records.removeOrganization("gone");
    expect(await store.list("gone")).toEqual([]);
  });
});
