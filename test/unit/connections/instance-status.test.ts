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

/** A grant as Dropbox gives it without `token_access_type=offline`. */
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
  it("shows when a grant is refreshed next", async () => {
    const { status, world } = asked({}, {});
    expect(await status()).toMatchObject({
      valid: true,
      nextRefreshAt: new Date(world.now + HOUR).toISOString().replace(/\.\d+/, ""),
    });
  });

  it("shows that a grant without a refresh token is valid, and never refreshed", async () => {
    expect(await single().status()).toMatchObject({
      valid: true,
      lastRefreshedAt: null,
      lastError: null,
      nextRefreshAt: null,
    });
  });
});

it("an expiry beyond the range of dates, from an old import, is shown as null", async () => {
  const { status, world } = single();
  const { dueAt, ...instance } = world.stored();
  const place = { organizationId: "org", item: "instance/42", field: "grant", version: 1 };
  const plain = { ...instance.plain, expiresAt: 1e20 };
  const grant = new TextEncoder().encode(JSON.stringify([place, JSON.stringify(plain)]));
  world.items.set(42, { ...world.items.get(42), grant } as Instance);
  expect(await status()).toMatchObject({ valid: true, expiresAt: null });
});

describe("the last error of an instance, in its status", () => {
  const failure = {
    at: Date.UTC(2026, 10, 26, 8),
    code: "invalid_grant",
    error: "invalid_grant",
    description: "Token has been expired or revoked.",
  };
  const dead = { deadVersion: 1, lastError: "invalid_grant", lastFailure: failure };

  it("has our code and the vendor's words; a dead grant has no next refresh", async () => {
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
    ["has the words of another failure", { ...dead, lastError: "vendor_unreachable" }],
  ])("has only our code when what an earlier version stored %s", async (_, changes) => {
    expect(await asked({}, changes).status()).toMatchObject({
      lastError: { at: null, code: "vendor_unreachable", error: null, errorDescription: null },
    });
  });
});

describe("an instance's scopes, in its status", () => {
  it("are shown, with those that were asked for and not granted", async () => {
    const grant = { scope: "files.content.read", askedScopes: ["files.content.read", "sharing.read"] };
    expect(await asked(grant, {}).status()).toMatchObject({
      scopes: ["files.content.read"],
      missingScopes: ["sharing.read"],
    });
  });

  it("are null when they are unknown", async () => {
    expect(await asked({}, {}).status()).toMatchObject({ scopes: null, missingScopes: [] });
  });
});

describe("a refresh that the app asks for", () => {
  it("is 501 for a grant without a refresh token, and sends no token request", async () => {
    const { refresh, world } = single();
    await expect(refresh()).rejects.toMatchObject({
      status: 501,
      code: "not_supported",
      detail: { connector: "dropbox" },
    });
    expect(world.sent).toEqual([]);
  });
});
