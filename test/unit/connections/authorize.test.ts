import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { browserMethods } from "../../../functions/connections/browser-calls.ts";
import type { Instance } from "../../../functions/core/instances/instance.ts";
import { newInstanceToken } from "../../../functions/core/instances/instance-token.ts";
import type { Organization, TenantStore, User } from "../../../functions/core/tenants/ports.ts";
import {
  authorizeInstance,
  authorizePlatform,
  identifyInstance,
  parseAuthorization,
} from "../../../functions/http/authorize.ts";
import { corsHeaders, preflight } from "../../../functions/http/cors.ts";
import { request } from "./a-request.ts";
import { instance as anInstance } from "./an-instance.ts";

const organization: Organization = {
  id: "org",
  name: "Acme",
  status: "active",
  dataKeys: [],
  returnUrls: [],
  origins: ["https://app.example"],
  createdAt: 0,
};
const user: User = {
  id: "ann",
  organizationId: "org",
  email: "ann@acme.example",
  firstName: "Ann",
  lastName: "Lee",
  number: 7,
  status: "active",
  createdAt: 0,
};

const { token, hash } = newInstanceToken(42);
const STORE_NOW = 1_000_000;
let instance: Instance | undefined;
let suspended: string[];
let lookups: string[];

beforeEach(() => {
  instance = { ...anInstance, organizationId: "org", userId: "ann", tokenHashes: [{ hash }] };
  suspended = [];
  lookups = [];
});

const owners: Record<string, { organizationId: string; userId?: string }> = {
  lsu_ann: { organizationId: "org", userId: "ann" },
  lsu_bob: { organizationId: "org", userId: "bob" },
  lsu_else: { organizationId: "else", userId: "eve" },
  lso_org: { organizationId: "org" },
  lso_else: { organizationId: "else" },
};

const tenants: TenantStore = {
  organization: async (id) => ({
    ...organization,
    id,
    status: suspended.includes(id) ? "suspended" : "active",
  }),
  user: async (organizationId, id) => ({
    ...user,
    organizationId,
    id,
    status: suspended.includes(id) ? "suspended" : "active",
  }),
  async bySecret(secret) {
    lookups.push(secret);
    return owners[secret];
  },
  registeredAppById: async () => undefined,
};
const stores = {
  tenants,
  instances: {
    get: async (id: number) => ({
      value: id === instance?.id ? instance : undefined,
      reading: { dateMs: STORE_NOW, monotonicMs: performance.now() },
    }),
  },
};

const platform = (authorization?: string) => authorizePlatform(request({ authorization }), tenants);
const hub = (authorization?: string) => authorizeInstance(request({ authorization }), stores);
const unauthorized = { status: 401, code: "unauthorized" };

describe("parseAuthorization", () => {
  const secret = fc.stringMatching(/^[\w+/=.~-]{1,60}$/);

  it("accepts the parts in any order and case, with or without spaces around the commas", () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(["User", "Organization", "Element"], { minLength: 1 }),
        fc.array(secret, { minLength: 3, maxLength: 3 }),
        fc.constantFrom(
          (text: string) => text,
          (text: string) => text.toLowerCase(),
          (text: string) => text.toUpperCase(),
        ),
        fc.constantFrom(",", ", ", " , ", ",  "),
        (schemes, secrets, toCase, comma) => {
          const deps = schemes.map((scheme, index) => [scheme, secrets[index] ?? ""] as const);
          const header = deps.map(([scheme, value]) => `${toCase(scheme)} ${value}`).join(comma);
          expect(parseAuthorization(header)).toEqual(
            Object.fromEntries(deps.map(([scheme, value]) => [scheme.toLowerCase(), value])),
          );
        },
      ),
    );
  });

  it("accepts Bearer only alone", () => {
    fc.assert(
      fc.property(secret, (value) => {
        expect(parseAuthorization(`bearer ${value}`)).toEqual({ bearer: value });
        expect(() => parseAuthorization(`Bearer ${value}, User x`)).toThrow();
      }),
    );
  });

  it("answers 401 to any other header, and repeats nothing of it", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 80 }), (header) => {
        try {
          parseAuthorization(header);
        } catch (error) {
          expect(error).toMatchObject(unauthorized);
        }
      }),
    );
    for (const header of [
      "Basic dXNlcjpwYXNz",
      "User",
      "User a b",
      "User a, User b",
      "User a,, Organization b",
      "User a Organization b",
      ",",
      `Bearer ${"x".repeat(5_000)}`,
      `${"User a,".repeat(2_000)}`,
    ]) {
      expect(() => parseAuthorization(header)).toThrowError(expect.objectContaining(unauthorized));
    }
    expect(() => parseAuthorization("Basic hunter2")).toThrowError(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  });

  it("finds nothing in an empty header", () => {
    expect(parseAuthorization(undefined)).toEqual({});
    expect(parseAuthorization("  ")).toEqual({});
  });
});

describe("the platform API", () => {
  it("accepts a user with its organization, or a user's secret as Bearer", async () => {
    for (const header of [
      "User lsu_ann, Organization lso_org",
      "organization lso_org,user lsu_ann",
      "Bearer lsu_ann",
    ]) {
      expect(await platform(header)).toMatchObject({ organization: { id: "org" }, user: { id: "ann" } });
    }
  });

  it("answers 401 to a user with another organization's secret, or with another user's secret in place of the organization's", async () => {
    for (const header of [
      "User lsu_ann, Organization lso_else",
      "User lsu_else, Organization lso_org",
      "User lsu_ann, Organization lsu_bob",
      "User lso_org, Organization lso_org",
    ])
      await expect(platform(header), header).rejects.toMatchObject(unauthorized);
  });

  it("ignores an Element part, whatever its value", async () => {
    expect(await platform("User lsu_ann, Organization lso_org, Element gone")).toMatchObject({
      user: { id: "ann" },
    });
  });

  it.each([
    undefined,
    "User lsu_ann",
    "Organization lso_org",
    "User lsu_nobody, Organization lso_org",
    "User lsu_ann, Organization lso_nobody",
    "User lsu_ann, Organization lso_else",
    "User lso_org, Organization lso_org",
    "User lsu_ann, Organization lsu_ann",
    "Bearer lso_org",
    `Bearer ${token}`,
  ])("answers 401 to %s", async (header) => {
    await expect(platform(header)).rejects.toMatchObject(unauthorized);
  });

  it("answers 401 to a suspended user and to all of a suspended organization", async () => {
    suspended = ["ann"];
    await expect(platform("Bearer lsu_ann")).rejects.toMatchObject(unauthorized);
    suspended = ["org"];
    await expect(platform("Bearer lsu_ann")).rejects.toMatchObject(unauthorized);
  });

  it("looks up an unknown secret once", async () => {
    await expect(platform("Bearer lsu_nobody")).rejects.toMatchObject(unauthorized);
    expect(lookups).toEqual(["lsu_nobody"]);
  });
});

describe("an instance token", () => {
  it("is enough alone, and is accepted with its own user and organization", async () => {
    for (const header of [
      `Bearer ${token}`,
      `Element ${token}`,
      `User lsu_ann, Organization lso_org, Element ${token}`,
      `Element ${token}, User lsu_ann`,
    ]) {
      expect(await hub(header)).toMatchObject({ organization: { id: "org" }, instance: { id: 42 } });
    }
  });

  it("with another user's or organization's secrets is 404", async () => {
    for (const header of [`User lsu_bob, Element ${token}`, `Organization lso_else, Element ${token}`]) {
      await expect(hub(header)).rejects.toMatchObject({ status: 404 });
    }
    await expect(hub(`User lsu_nobody, Element ${token}`)).rejects.toMatchObject(unauthorized);
  });

  it("that is malformed, unknown or of another instance is 401", async () => {
    const other = newInstanceToken(42).token;
    const elsewhere = newInstanceToken(43).token;
    for (const wrong of [other, elsewhere, token.slice(0, -1), `${token}x`, "lsu_ann", "lsi_16."]) {
      await expect(hub(`Bearer ${wrong}`)).rejects.toMatchObject(unauthorized);
    }
    await expect(hub("User lsu_ann, Organization lso_org")).rejects.toMatchObject(unauthorized);
  });

  it("of an instance that is being deleted or of a suspended organization is 401", async () => {
    if (instance) instance = { ...instance, deleting: true };
    await expect(hub(`Bearer ${token}`)).rejects.toMatchObject(unauthorized);
    if (instance) instance = { ...instance, deleting: false };
    suspended = ["org"];
    await expect(hub(`Bearer ${token}`)).rejects.toMatchObject(unauthorized);
  });

  it("of a suspended user is 401, with or without the user's secrets", async () => {
    const headers = [`Bearer ${token}`, `User lsu_ann, Element ${token}`, `Element ${token}`];
    const asked: string[] = [];
    const withList = (suspendedUsers: readonly string[] | undefined) => ({
      ...stores,
      tenants: {
        ...tenants,
        organization: async () => ({
          ...organization,
          ...(suspendedUsers === undefined ? {} : { suspendedUsers }),
        }),
        user: async (organizationId: string, id: string) => {
          asked.push(id);
          return await tenants.user(organizationId, id);
        },
      },
    });
    const call = (authorization: string, list: readonly string[] | undefined) =>
      authorizeInstance(request({ authorization }), withList(list));
    for (const header of headers) {
      await expect(call(header, ["bob", "ann"])).rejects.toMatchObject(unauthorized);
      expect(await call(header, ["bob"])).toMatchObject({ instance: { id: 42 } });
    }
    // The user's own item is not read for this, unless the organization has no list yet.
    expect(asked).toEqual([]);
    suspended = ["ann"];
    await expect(call(`Bearer ${token}`, undefined)).rejects.toMatchObject(unauthorized);
    suspended = [];
    expect(await call(`Bearer ${token}`, undefined)).toMatchObject({ instance: { id: 42 } });
    expect(asked).toEqual(["ann", "ann"]);
    if (instance) instance = { ...instance, userSuspended: true };
    await expect(call(`Bearer ${token}`, ["bob"])).rejects.toMatchObject(unauthorized);
  });

  it("that was replaced is valid until its grace period ends, by the store's time", async () => {
    const old = (until: number) => {
      if (instance) instance = { ...instance, tokenHashes: [{ hash: "new" }, { hash, until }] };
    };
    old(STORE_NOW + 60_000);
    expect(await hub(`Bearer ${token}`)).toMatchObject({ instance: { id: 42 } });
    old(STORE_NOW);
    await expect(hub(`Bearer ${token}`)).rejects.toMatchObject(unauthorized);
  });

  it("of a disabled instance is 403, of a dead grant 401 with its own code; both may still read their own instance", async () => {
    if (instance) instance = { ...instance, enabled: false };
    await expect(hub(`Bearer ${token}`)).rejects.toMatchObject({ status: 403, code: "instance_disabled" });
    if (instance) instance = { ...instance, enabled: true, deadVersion: instance.version };
    await expect(hub(`Bearer ${token}`)).rejects.toMatchObject({
      status: 401,
      code: "needs_reauthentication",
    });
    expect(await identifyInstance(request({ authorization: `Bearer ${token}` }), stores)).toMatchObject({
      instance: { id: 42 },
    });
  });
});

describe("browsers of another origin", () => {
  it("may read an answer only when the instance's organization lists them", async () => {
    for (const [origin, allowed] of [
      ["https://app.example", "https://app.example"],
      ["https://evil.example", undefined],
      [undefined, undefined],
    ]) {
      const call = request({ authorization: `Bearer ${token}`, origin });
      await authorizeInstance(call, stores);
      expect(corsHeaders(call)["Access-Control-Allow-Origin"]).toBe(allowed);
      expect(corsHeaders(call)["Access-Control-Allow-Credentials"]).toBeUndefined();
      expect(corsHeaders(call).Vary).toBe("Origin");
    }
  });

  it("may not read an answer to a call with a platform secret", async () => {
    const call = request({ authorization: "Bearer lsu_ann", origin: "https://app.example" });
    await authorizePlatform(call, tenants);
    expect(corsHeaders(call)["Access-Control-Allow-Origin"]).toBeUndefined();
  });

  it("get a preflight answered without a token; no other request counts as a preflight", () => {
    const asks = { origin: "https://evil.example", "access-control-request-method": "PUT" };
    expect(preflight(request(asks, { method: "OPTIONS" }))).toMatchObject({
      status: 204,
      headers: { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Authorization, *" },
    });
    expect(preflight(request(asks, { method: "PUT" }))).toBeUndefined();
    expect(preflight(request({ origin: "https://evil.example" }, { method: "OPTIONS" }))).toBeUndefined();
  });

  it("see in a preflight only the methods that an instance token may use at that path", () => {
    const asked = (path: string) =>
      preflight(
        request(
          { origin: "https://app.example", "access-control-request-method": "PUT" },
          { method: "OPTIONS", path },
        ),
        browserMethods(path),
      )?.headers?.["Access-Control-Allow-Methods"];
    for (const root of ["/instances", "/elements/dropbox/instances"]) {
      for (const read of ["", "/", "/42", "/42/", "/42/configuration/a.b", "/status", "/42/enabled"]) {
        expect(asked(root + read)).toBe("GET, HEAD");
      }
      for (const post of ["/token", "/42/token", "/42/refresh", "/refresh/"]) {
        expect(asked(root + post)).toBe("POST");
      }
    }
    for (const none of ["/connect/sessions", "/oauth/callback/dropbox", "/elements/dropbox", "/elements"]) {
      expect(asked(none)).toBeUndefined();
    }
  });
});
