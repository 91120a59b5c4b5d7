import { describe, expect, it } from "vitest";
import { getStatus, refreshInstance } from "../../../functions/connections/instance-calls.ts";
import type { ConnectionParts } from "../../../functions/connections/parts.ts";
import { dropbox } from "../../../functions/connectors/dropbox.ts";
import { newInstanceToken } from "../../../functions/core/grant/sign-in/instance-token.ts";
import type { Grant, Instance } from "../../../functions/core/instances/instance.ts";
import { CalmWorld, HOUR } from "../../grant/calm-world.ts";
import { testOrganization } from "../documents/test-vault.ts";
import { request } from "./a-request.ts";

function asked(grant: Partial<Grant>, changes: Partial<Instance>) {
  const world = new CalmWorld();
  world.connector = dropbox;
  const { token, hash } = newInstanceToken(42);
  world.put(grant, { connector: "dropbox", tokenHashes: [{ hash }], ...changes });
  const tenants = { organization: async () => testOrganization("org"), user: async () => undefined };
  const parts = { grants: world.parts, tenants } as unknown as ConnectionParts;
  return {
    world,
    status: async () => (await getStatus(() => parts)(call())).json,
    refresh: () => refreshInstance(() => parts)(call()),
  };
  function call() {
    return request({ authorization: `Bearer ${token}` });
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
