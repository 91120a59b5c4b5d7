import { describe, expect, it } from "vitest";
import type { ConnectionDeps } from "../../../functions/connections/deps.ts";
import { connectionRoutes } from "../../../functions/connections/routes.ts";
import dropbox from "../../../functions/connectors/vendors/dropbox.ts";
import type { Grant, Instance } from "../../../functions/core/instances/instance.ts";
import { newInstanceToken } from "../../../functions/core/instances/instance-token.ts";
import { CalmWorld, HOUR } from "../../grant/calm-world.ts";
import { testOrganization } from "../documents/test-vault.ts";
import { perform } from "../http/perform.ts";
import { request } from "./a-request.ts";

function asked(grant: Partial<Grant>, changes: Partial<Instance>) {
  const world = new CalmWorld();
  world.connector = dropbox;
  const { token, hash } = newInstanceToken(42);
  world.put(grant, { connector: "dropbox", tokenHashes: [{ hash }], ...changes });
  const tenants = { organization: async () => testOrganization("org"), user: async () => undefined };
  const deps = { grants: world.deps, tenants } as unknown as ConnectionDeps;
  return {
    world,
    status: async () => (await call("GET", "/instances/42/status")).json,
    refresh: () => call("POST", "/instances/42/refresh"),
  };
  function call(method: string, path: string) {
    const asked = request({ authorization: `Bearer ${token}` }, { method, path });
    return perform(
      connectionRoutes(() => deps),
      asked,
    );
  }
}

/** Dropbox without `token_access_type=offline` gives such a grant. */
const single = () => {
  const { world, ...calls } = asked({}, {});
  const { refreshToken, ...grant } = world.grant();
  const { dueAt, ...instance } = world.stored();
  const place = { organizationId: "org", item: "instance/42", field: "grant", version: 1 };
  world.items.set(42, {
    ...instance,
    grant: new TextEncoder().encode(JSON.stringify([place, JSON.stringify(grant)])),
  });
  return { world, ...calls };
};

describe("an instance's status", () => {
  it("tells when a grant is refreshed next", async () => {
    const { status, world } = asked({}, {});
    expect(await status()).toMatchObject({
      valid: true,
      nextRefreshAt: new Date(world.now + HOUR).toISOString().replace(/\.\d+/, ""),
    });
  });

  it("tells that a grant without a refresh token is valid, and never refreshed", async () => {
    expect(await single().status()).toMatchObject({
      valid: true,
      lastRefreshedAt: null,
      lastError: null,
      nextRefreshAt: null,
    });
  });
});

it("an end that no date can tell, of an import of before, is none", async () => {
  const { status, world } = single();
  const { dueAt, ...instance } = world.stored();
  const place = { organizationId: "org", item: "instance/42", field: "grant", version: 1 };
  const plain = { ...instance.plain, expiresAt: 1e20 };
  const grant = new TextEncoder().encode(JSON.stringify([place, JSON.stringify(plain)]));
  world.items.set(42, { ...world.items.get(42), grant } as Instance);
  expect(await status()).toMatchObject({ valid: true, expiresAt: null });
});

describe("why an instance fails, in its status", () => {
  const failure = {
    at: Date.UTC(2026, 10, 26, 8),
    code: "invalid_grant",
    error: "invalid_grant",
    description: "Token has been expired or revoked.",
  };
  const dead = { deadVersion: 1, lastError: "invalid_grant", lastFailure: failure };

  it("is told in our word and in the vendor's own; what is dead is not due to be refreshed", async () => {
    expect(await asked({}, dead).status()).toMatchObject({
      valid: false,
      lastError: {
        at: "2026-11-26T08:00:00Z",
        code: "invalid_grant",
        error: "invalid_grant",
        errorDescription: "Token has been expired or revoked.",
      },
      nextRefreshAt: null,
    });
  });

  it.each([
    ["has no words", { lastError: "vendor_unreachable" }],
    ["has those of another failure", { ...dead, lastError: "vendor_unreachable" }],
  ])("is our word alone where what an earlier version left %s", async (_, changes) => {
    expect(await asked({}, changes).status()).toMatchObject({
      lastError: { at: null, code: "vendor_unreachable", error: null, errorDescription: null },
    });
  });
});

describe("an instance's scopes, in its status", () => {
  it("are told, and those that were asked for and not granted", async () => {
    const grant = { scope: "files.content.read", askedScopes: ["files.content.read", "sharing.read"] };
    expect(await asked(grant, {}).status()).toMatchObject({
      scopes: ["files.content.read"],
      missingScopes: ["sharing.read"],
    });
  });

  it("are null where nobody knows them", async () => {
    expect(await asked({}, {}).status()).toMatchObject({ scopes: null, missingScopes: [] });
  });
});

describe("a refresh that the app asks for", () => {
  it("is 501 for a grant without a refresh token, and no token request goes out", async () => {
    const { refresh, world } = single();
    await expect(refresh()).rejects.toMatchObject({
      status: 501,
      code: "not_supported",
      detail: { connector: "dropbox" },
    });
    expect(world.sent).toEqual([]);
  });
});
