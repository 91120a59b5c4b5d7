import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tenantRecords } from "../../../functions/aws/tenants/records.ts";
import { registeredApps, tenantTable } from "../../../functions/aws/tenants/table.ts";
import { clientResolver } from "../../../functions/core/oauth/client-resolver.ts";
import { type TenantAdmin, tenantAdministration } from "../../../functions/core/tenants/administration.ts";
import type { RegisteredApps, TenantStore } from "../../../functions/core/tenants/ports.ts";
import { openTables, readsOf } from "./open-tables.ts";

/** Opens a secret only at the place where it was sealed, as the real vault does. */
const vault = {
  seal: async (place: object, text: string) => new TextEncoder().encode(JSON.stringify([place, text])),
  open: async (place: object, sealed: Uint8Array) => {
    const [where, text] = JSON.parse(Buffer.from(sealed).toString()) as [object, string];
    expect(where).toEqual(place);
    return text;
  },
};

let tables: Awaited<ReturnType<typeof openTables>>;
let admin: TenantAdmin;
let store: TenantStore & RegisteredApps;
let monotonic = 1;
let created = 1_700_000_000_000;

beforeAll(async () => {
  tables = await openTables();
});
afterAll(() => tables[Symbol.asyncDispose]());
beforeEach(() => {
  const table = { client: tables.documents, tableName: "tenants" };
  store = { ...tenantTable({ ...table, monotonic: () => monotonic }), ...registeredApps(table) };
  admin = tenantAdministration({
    records: tenantRecords(table),
    keys: {
      generateDataKey: async (organizationId) => ({
        wrapped: new TextEncoder().encode(`key of ${organizationId}`),
      }),
    },
    vault,
    now: () => created++,
  });
});

async function acme() {
  const { organization, secret } = await admin.createOrganization({ name: "Acme" });
  const made = await admin.createUser({
    organizationId: organization.id,
    email: "ann@acme.example",
    firstName: "Ann",
    lastName: "Lee",
  });
  return { organization, organizationSecret: secret, user: made.user, userSecret: made.secret };
}

describe("tenants", () => {
  it("are found by their secrets, of which only the hashes are stored", async () => {
    const { organization, organizationSecret, user, userSecret } = await acme();
    expect(organizationSecret).toMatch(/^lso_[\w-]{43}$/);
    expect(userSecret).toMatch(/^lsu_[\w-]{43}$/);
    expect(await store.bySecret(organizationSecret)).toEqual({ organizationId: organization.id });
    expect(await store.bySecret(userSecret)).toEqual({ organizationId: organization.id, userId: user.id });
    expect(await store.organization(organization.id)).toEqual(organization);
    expect(await store.user(organization.id, user.id)).toEqual(user);
    expect(await store.bySecret("lsu_nobody")).toBeUndefined();
  });

  it("are cached for 30 s, and read again when a fresh one is asked for", async () => {
    const { organization } = await acme();
    await store.organization(organization.id);
    await admin.setStatus({ organizationId: organization.id }, "suspended");
    const before = readsOf(tables);
    expect((await store.organization(organization.id))?.status).toBe("active");
    expect(readsOf(tables)).toBe(before);
    expect((await store.organization(organization.id, { fresh: true }))?.status).toBe("suspended");
    await admin.setStatus({ organizationId: organization.id }, "active");
    monotonic += 30_001;
    expect((await store.organization(organization.id))?.status).toBe("active");
  });

  it("leave the cache when it is full, the one that was read least recently first", async () => {
    const { organization, user } = await acme();
    const other = await admin.createUser({
      organizationId: organization.id,
      email: "bo@acme.example",
      firstName: "Bo",
      lastName: "Lee",
    });
    const small = tenantTable({ client: tables.documents, tableName: "tenants", cacheItems: 2 });
    await small.organization(organization.id);
    await small.user(organization.id, user.id);
    await small.organization(organization.id);
    await small.user(organization.id, other.user.id);
    const before = readsOf(tables);
    await small.organization(organization.id);
    expect(readsOf(tables)).toBe(before);
    await small.user(organization.id, user.id);
    expect(readsOf(tables)).toBe(before + 1);
  });

  it("are read each time, once per call, when they were not found", async () => {
    const before = readsOf(tables);
    await store.bySecret("lsu_nobody");
    await store.bySecret("lsu_nobody");
    expect(readsOf(tables)).toBe(before + 2);
  });

  it("may have two secrets for a while", async () => {
    const { organization, user, userSecret } = await acme();
    const second = await admin.addSecret({ organizationId: organization.id, userId: user.id });
    expect(await store.bySecret(second)).toEqual(await store.bySecret(userSecret));
    expect(await admin.removeSecret(userSecret)).toBe(true);
    expect(await admin.removeSecret(userSecret)).toBe(false);
    monotonic += 30_001;
    expect(await store.bySecret(userSecret)).toBeUndefined();
    expect(await store.bySecret(second)).toBeDefined();
  });

  it("that do not exist are refused for secrets, users, apps and statuses", async () => {
    const { organization } = await acme();
    await expect(
      admin.addSecret({ organizationId: organization.id, userId: "nobody" }),
    ).rejects.toMatchObject({
      status: 404,
    });
    await expect(admin.addSecret({ organizationId: "none" })).rejects.toMatchObject({ status: 404 });
    await expect(
      admin.createUser({ organizationId: "none", email: "", firstName: "", lastName: "" }),
    ).rejects.toMatchObject({ status: 404 });
    await expect(admin.setStatus({ organizationId: "none" }, "suspended")).rejects.toMatchObject({
      status: 404,
    });
  });

  it("are listed", async () => {
    const { organization, user } = await acme();
    expect((await admin.listOrganizations()).map(({ id }) => id)).toContain(organization.id);
    expect(await admin.listUsers(organization.id)).toEqual([user]);
  });
});

describe("registered apps", () => {
  const app = (connector: string, clientId: string) => ({
    connector,
    clientId,
    clientSecret: `secret of ${clientId}`,
    callbackUrls: [`https://${clientId}.example/cb`],
  });

  it("are found by connector; the first of several is used", async () => {
    const { organization } = await acme();
    const organizationId = organization.id;
    const first = await admin.registerApp({ organizationId, ...app("dropbox", "one") });
    const second = await admin.registerApp({ organizationId, ...app("dropbox", "two") });
    await admin.registerApp({ organizationId, ...app("box", "three") });
    expect(await store.registeredApp(organizationId, "dropbox")).toEqual(first);
    expect(await store.registeredAppById(organizationId, "dropbox", second.id)).toEqual(second);
    expect(await store.registeredAppById(organizationId, "box", second.id)).toBeUndefined();
    expect(await store.registeredApp(organizationId, "drop")).toBeUndefined();
    expect(await admin.listApps(organizationId)).toHaveLength(3);
    await admin.removeApp({ organizationId, connector: "dropbox", appId: first.id });
    expect(await store.registeredApp(organizationId, "dropbox")).toEqual(second);
  });

  it("give the token endpoint their secret, after a rotation the new one", async () => {
    const { organization } = await acme();
    const organizationId = organization.id;
    const { id: appId } = await admin.registerApp({ organizationId, ...app("dropbox", "one") });
    const resolver = clientResolver({ tenants: store, vault });
    const resolve = () => resolver.resolve(organizationId, "dropbox", { kind: "registered", appId });
    expect(await resolve()).toEqual({ id: "one", secret: "secret of one" });
    await admin.replaceClientSecret({ organizationId, connector: "dropbox", appId, clientSecret: "new" });
    expect(await resolve()).toEqual({ id: "one", secret: "new" });
    await admin.removeApp({ organizationId, connector: "dropbox", appId });
    await expect(resolve()).rejects.toMatchObject({ status: 404, code: "unknown_app" });
    expect(await resolver.resolve(organizationId, "dropbox", { kind: "own", id: "i", secret: "s" })).toEqual({
      id: "i",
      secret: "s",
    });
  });

  it("have no spaces from a paste, not even those stored earlier", async () => {
    const { organization } = await acme();
    const organizationId = organization.id;
    const pasted = {
      clientId: " one\n",
      clientSecret: "secret\r\n",
      callbackUrls: [" https://one.example/cb "],
    };
    const made = await admin.registerApp({ organizationId, connector: "dropbox", ...pasted });
    expect(made).toMatchObject({ clientId: "one", callbackUrls: ["https://one.example/cb"] });
    const { resolve } = clientResolver({ tenants: store, vault });
    const registered = { kind: "registered", appId: made.id } as const;
    expect(await resolve(organizationId, "dropbox", registered)).toEqual({ id: "one", secret: "secret" });
    const old = { kind: "own", id: "i\n", secret: " s" } as const;
    expect(await resolve(organizationId, "dropbox", old)).toEqual({ id: "i", secret: "s" });
  });
});

describe("allow-lists", () => {
  it("are replaced separately, and are part of the organization", async () => {
    const { organization } = await acme();
    await admin.setAllowLists(organization.id, { returnUrls: ["https://app.example/back"] });
    const changed = await admin.setAllowLists(organization.id, { origins: ["https://app.example"] });
    expect(changed).toMatchObject({
      returnUrls: ["https://app.example/back"],
      origins: ["https://app.example"],
      name: "Acme",
    });
  });

  it("accept only URLs and origins", async () => {
    const { organization } = await acme();
    await expect(admin.setAllowLists(organization.id, { returnUrls: ["*"] })).rejects.toMatchObject({
      status: 400,
      detail: { field: "returnUrls" },
    });
    await expect(
      admin.setAllowLists(organization.id, { origins: ["https://app.example/"] }),
    ).rejects.toMatchObject({ status: 400, detail: { field: "origins" } });
  });
});
