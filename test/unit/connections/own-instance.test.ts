import { beforeEach, describe, expect, it } from "vitest";
import type { ConnectionDeps } from "../../../functions/connections/deps.ts";
import { instanceOfUser, ownInstance } from "../../../functions/connections/own-instance.ts";
import type { Instance } from "../../../functions/core/instances/instance.ts";
import { newInstanceToken } from "../../../functions/core/instances/instance-token.ts";
import type { Organization, User } from "../../../functions/core/tenants/ports.ts";
import { request } from "./a-request.ts";
import { instance as anInstance } from "./an-instance.ts";

const { token, hash } = newInstanceToken(42);
const ann = { id: "ann", organizationId: "org", status: "active" } as User;
const owners: Record<string, { organizationId: string; userId?: string }> = {
  lsu_ann: { organizationId: "org", userId: "ann" },
  lso_org: { organizationId: "org" },
};
let instance: Instance;
beforeEach(() => {
  instance = { ...anInstance, tokenHashes: [{ hash }] };
});

const deps = {
  tenants: {
    organization: async (id: string) =>
      ({ id, status: "active", origins: [], suspendedUsers: [] }) as unknown as Organization,
    user: async () => ann,
    bySecret: async (secret: string) => owners[secret],
  },
  grants: {
    instances: {
      get: async (id: number) => ({
        value: id === instance.id ? instance : undefined,
        reading: { dateMs: 0, monotonicMs: performance.now() },
      }),
    },
  },
} as unknown as ConnectionDeps;

describe("an instance of another user", () => {
  const other = async (changes: Partial<Instance>) => {
    instance = { ...instance, ...changes };
    return await instanceOfUser(deps, ann, 42);
  };
  const notFound = expect.objectContaining({ status: 404, code: "unknown_instance" });

  it("is not found, like an instance that does not exist", async () => {
    expect((await instanceOfUser(deps, ann, 42)).instance.id).toBe(42);
    await expect(instanceOfUser(deps, ann, 43)).rejects.toThrow(notFound);
    await expect(other({ organizationId: "else" })).rejects.toThrow(notFound);
    await expect(other({ organizationId: "org", userId: "bob" })).rejects.toThrow(notFound);
    await expect(other({ userId: "ann", deleting: true })).rejects.toThrow(notFound);
  });
});

describe("a call that changes an instance", () => {
  const change = (authorization: string, more: Record<string, string> = {}) =>
    ownInstance(deps, request({ authorization, ...more }, { params: {} }), "change");
  const full = `User lsu_ann, Organization lso_org, Element ${token}`;

  it("needs the user's secrets together with the instance token", async () => {
    for (const alone of [`Bearer ${token}`, `Element ${token}`, `User lsu_ann, Element ${token}`])
      await expect(change(alone)).rejects.toThrow(expect.objectContaining({ code: "needs_user" }));
  });

  it("is refused when it comes from a browser page", async () => {
    await expect(change(full, { origin: "https://app.example" })).rejects.toThrow(
      expect.objectContaining({ code: "not_from_browsers" }),
    );
  });
});
