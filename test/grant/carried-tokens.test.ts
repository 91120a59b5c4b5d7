import { beforeEach, describe, expect, test } from "vitest";
import { type Connector, defineConnector } from "../../functions/connectors/define-connector.ts";
import { claimSignIn } from "../../functions/core/grant/pending/claim-sign-in.ts";
import { holdSignIn } from "../../functions/core/grant/pending/hold-sign-in.ts";
import { refreshGrant } from "../../functions/core/grant/refresh/refresh.ts";
import { settleRescueRecord } from "../../functions/core/grant/rescue/rescue-worker.ts";
import { refreshGroup } from "../../functions/core/grant/store/refresh-group.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import type { Grant, Instance } from "../../functions/core/instances/instance.ts";
import { epochOf } from "../../functions/core/instances/sign-in-epoch.ts";
import { CalmWorld, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";
import { signIn } from "./signing-in.ts";
import { toldBy } from "./told-by.ts";

/** Every access token belongs to the same person, except those that start with `grace`; `blind` tokens cannot tell. */
const account = toldBy(async (token) => {
  if (token.startsWith("blind")) throw new Error("not in this scope");
  return { id: token.startsWith("grace") ? "grace" : "ada" };
});

/** Each customer has a server of its own, which the token answer names. */
const placed = defineConnector<Connector>({
  ...connector,
  account,
  oauth2: { ...connector.oauth2, refreshUrl: "https://{server}.vendor.example/token" },
  captured: [{ key: "server", format: "hostLabel" }],
});

const group = refreshGroup(connector.key, "client");
/** The answer of a vendor that gives a refresh token only once. */
const withoutRefreshToken = (accessToken: string, more: Record<string, unknown> = {}) => {
  const outcome = granted(accessToken, more);
  if (outcome.kind !== "granted") throw new Error("not granted");
  const { refreshToken, ...response } = outcome.response;
  return { ...outcome, response };
};

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
  world.connector = { ...connector, account };
  world.exchange = () => withoutRefreshToken("new", { scope: "read" });
});

const put = (grant: Partial<Grant> = {}, changes: Partial<Instance> = {}) =>
  world.put({ scope: "read write", ...grant }, { account: { id: "ada" }, refreshGroup: group, ...changes });
const told = () =>
  world.announced.map(({ name, reason }) => [name, ...(reason === undefined ? [] : [reason])]);
const again = (changes: Parameters<typeof signIn>[2] = {}, name = "state") =>
  signIn(world, name, { connector: world.connector, ...changes });
const refresh = async () =>
  world.finish(refreshGrant(world.deps, await world.read(), { cause: "forced" }, world.call));

describe("a new sign-in without a refresh token", () => {
  test("keeps the stored refresh token with the new access token, if account and client are the same", async () => {
    put();
    const instance = await again();
    expect(world.stored().plain).toMatchObject({ accessToken: "new", refreshToken: "r-old", scope: "read" });
    expect(instance).not.toHaveProperty("refreshable");
    expect(world.revoked).toEqual([]);
    expect(world.stored()).not.toHaveProperty("replacedGrants");
    expect(world.stored()).not.toHaveProperty("until");
    expect(told()).toEqual([["instance.reauthenticated"]]);
  });

  test("is refreshed with the old refresh token, and the new access token gets the old scope", async () => {
    put();
    await again();
    world.answer = () => withoutRefreshToken("renewed");
    await refresh();
    expect(world.sent.at(-1)).toBe("r-old");
    expect(world.stored().plain).toMatchObject({
      accessToken: "renewed",
      refreshToken: "r-old",
      scope: "read write",
    });
    expect(world.stored().plain).not.toHaveProperty("carried");
  });

  test("may happen twice; the refresh token keeps the access token and scope it came with", async () => {
    put();
    await again();
    await world.pass(1_000);
    world.exchange = () => withoutRefreshToken("newer", { scope: "none" });
    await again({}, "later");
    expect(world.stored().plain).toMatchObject({
      accessToken: "newer",
      refreshToken: "r-old",
      scope: "none",
      carried: { accessToken: "old", scope: "read write" },
    });
  });

  test.each<[string, () => void, Parameters<typeof signIn>[2]]>([
    ["the grant is dead", () => put({}, { deadVersion: 1 }), {}],
    [
      "the stored token's account is unknown",
      () => put({ accessToken: "blind" }, { account: undefined as never }),
      {},
    ],
    ["it belongs to another client", () => put({}, { refreshGroup: "another" }), {}],
    [
      "it was won at another host, which names the same account",
      () => {
        world.connector = placed;
        put({ extra: { server: "acme" } });
        world.exchange = () => withoutRefreshToken("new", { extra: { server: "evil" } });
      },
      {},
    ],
    ["none is stored", () => put({ refreshToken: undefined as never }), {}],
    [
      "the new account cannot be looked up",
      () => {
        put();
        world.exchange = () => withoutRefreshToken("blind");
      },
      { acceptOtherAccount: true },
    ],
    [
      "the caller accepts another account, and it is another one",
      () => {
        put();
        world.exchange = () => withoutRefreshToken("grace");
      },
      { acceptOtherAccount: true },
    ],
  ])("keeps no refresh token when %s; answer and event say so", async (_why, prepare, changes) => {
    prepare();
    const before = world.stored().plain.accessToken;
    const instance = await again(changes);
    expect(world.stored().plain).not.toHaveProperty("refreshToken");
    expect(instance.refreshable).toBe(false);
    expect(world.stored().refreshable).toBe(false);
    expect(told()).toContainEqual(["instance.reauthenticated", "no_refresh_token"]);
    expect(world.revoked).toEqual([before]);
    // The next sign-in with a refresh token makes the instance refreshable again.
    await world.pass(1_000);
    world.exchange = () => granted("whole");
    const whole = await again({ acceptOtherAccount: true }, "later");
    expect(whole).not.toHaveProperty("refreshable");
    expect(world.stored()).not.toHaveProperty("refreshable");
  });

  test("at the same host keeps the refresh token", async () => {
    world.connector = placed;
    put({ extra: { server: "acme" } });
    world.exchange = () => withoutRefreshToken("new", { extra: { server: "ACME" } });
    await again();
    expect(world.stored().plain).toMatchObject({ refreshToken: "r-old", extra: { server: "ACME" } });
  });

  test("at another customer's server is of another account, whatever id that server names", async () => {
    world.connector = defineConnector<Connector>({
      ...connector,
      account,
      oauth2: { ...connector.oauth2, tokenUrl: "https://{server}.vendor.example/token" },
      configuration: [{ key: "server", name: "S", description: "S", required: true, format: "hostLabel" }],
    });
    put({ endpoint: { server: "acme" } }, { account: { id: "ada@acme" } });
    await expect(again({ configuration: { server: "evil" } })).rejects.toMatchObject({
      code: "another_account",
    });
    await again({ configuration: { server: "ACME" } }, "later");
    expect(world.stored().account).toEqual({ id: "ada@acme" });
  });

  test("of the same account keeps the refresh token, also when another account would be accepted", async () => {
    put();
    await again({ acceptOtherAccount: true });
    expect(world.stored().plain.refreshToken).toBe("r-old");
  });

  test("changes nothing at a vendor that never gives refresh tokens", async () => {
    const { refreshToken: _, ...oauth2 } = connector.oauth2;
    world.connector = { ...connector, oauth2, account };
    put({ refreshToken: undefined as never });
    const instance = await again();
    expect(instance).not.toHaveProperty("refreshable");
    expect(told()).toEqual([["instance.reauthenticated"]]);
  });
});

describe("a refresh of the old token", () => {
  test("that is in progress delays the sign-in, which then keeps the new refresh token", async () => {
    put();
    const answered = Promise.withResolvers<void>();
    world.answer = async () => {
      await answered.promise;
      return granted("renewed");
    };
    const refreshing = refreshGrant(world.deps, await world.read(), { cause: "forced" }, world.call);
    await world.settle();
    const signedIn = again();
    await world.pass(3_000);
    answered.resolve();
    await world.finish(refreshing);
    await signedIn;
    expect(world.stored().plain).toMatchObject({ accessToken: "new", refreshToken: "r-renewed" });
    expect(world.revoked).toEqual([]);
  });

  test("that lasts longer than a caller waits: the sign-in waits in the bucket, and is then combined with the stored refresh token", async () => {
    put({}, { until: world.now + timing.leaseMs, fence: 2 });
    await again();
    expect([...world.records.keys()]).toHaveLength(1);
    expect(world.stored().plain.accessToken).toBe("old");
    const [key = ""] = world.records.keys();
    await expect(world.finish(settleRescueRecord(world.deps, key, world.call))).rejects.toMatchObject({
      status: 503,
    });
    await world.pass(timing.leaseMs);
    await world.finish(settleRescueRecord(world.deps, key, world.call));
    expect(world.stored().plain).toMatchObject({ accessToken: "new", refreshToken: "r-old" });
    expect(world.records.size).toBe(0);
  });

  test("whose grant is in the bucket is finished first", async () => {
    put();
    world.answer = () => {
      world.tableFails = true;
      return granted("renewed");
    };
    await refresh();
    world.tableFails = false;
    await world.pass(timing.leaseMs + 2_000);
    await again();
    expect(world.stored().plain).toMatchObject({ accessToken: "new", refreshToken: "r-renewed" });
  });

  test("with a bucket that cannot be read: the sign-in is not written before the bucket can be read", async () => {
    put({}, { until: world.now - 1_000, fence: 2 });
    world.bucketFails = true;
    const signedIn = again().catch(() => undefined);
    await world.pass(HOUR / 100);
    expect(world.stored().plain.refreshToken).toBe("r-old");
    world.bucketFails = false;
    await signedIn;
    for (const key of world.records.keys())
      await world.finish(settleRescueRecord(world.deps, key, world.call));
    expect(world.stored().plain).toMatchObject({ accessToken: "new", refreshToken: "r-old" });
  });
});

describe("an account that is not stored with the instance", () => {
  const putUnnoted = () => put({}, { account: undefined as never });

  test.each([{}, { acceptOtherAccount: true }])("is looked up at a new sign-in (%j)", async (changes) => {
    putUnnoted();
    await again(changes);
    expect(world.stored()).toMatchObject({
      account: { id: "ada" },
      plain: { accessToken: "new", refreshToken: "r-old" },
    });
    expect(world.revoked).toEqual([]);
  });

  test("is looked up also when it is another account, and the sign-in is refused", async () => {
    putUnnoted();
    world.exchange = () => withoutRefreshToken("grace");
    await expect(again()).rejects.toMatchObject({ code: "another_account" });
    expect(world.stored().plain).toMatchObject({ accessToken: "old", refreshToken: "r-old" });
    expect(world.revoked).toEqual(["grace"]);
  });

  test("is stored with the sign-in's record in the bucket", async () => {
    putUnnoted();
    world.items.set(42, { ...world.stored(), until: world.now + timing.leaseMs, fence: 2 });
    await again();
    const [key = ""] = world.records.keys();
    await world.pass(timing.leaseMs);
    await world.finish(settleRescueRecord(world.deps, key, world.call));
    expect(world.stored().plain).toMatchObject({ accessToken: "new", refreshToken: "r-old" });
  });

  test("is not confused with the account of a sign-in that was written in between", async () => {
    putUnnoted();
    world.items.set(42, { ...world.stored(), until: world.now + timing.leaseMs, fence: 2 });
    await again();
    const [key = ""] = world.records.keys();
    world.put({ accessToken: "grace" }, { refreshGroup: group, epoch: epochOf(world.now - HOUR, "between") });
    await world.finish(settleRescueRecord(world.deps, key, world.call));
    expect(world.stored().plain).toMatchObject({ accessToken: "new" });
    expect(world.stored().plain).not.toHaveProperty("refreshToken");
  });
});

test.each(["ada", undefined])(
  "a claim keeps the refresh token too, when the stored account is %s",
  async (id) => {
    put({}, { account: id === undefined ? (undefined as never) : { id } });
    const { key } = await world.finish(
      holdSignIn(
        world.deps,
        world.transients,
        {
          organizationId: "org",
          userId: "user",
          connector: world.connector,
          client: { kind: "own", id: "client", secret: "secret" },
          code: "code",
          redirectUri: "https://ours.example/cb",
          configuration: {},
          epoch: epochOf(world.now, "state"),
          sessionId: "cs_1",
          endsAt: world.now + HOUR,
          into: { instanceId: 42 },
        },
        world.call,
      ),
    );
    world.items.set(42, { ...world.stored(), until: world.now + timing.leaseMs, fence: 2 });
    const claim = () => world.finish(claimSignIn(world.deps, { pending: key, isNew: false }, world.call));
    // Another process refreshes the grant; the claim can be repeated.
    await expect(claim()).rejects.toMatchObject({ status: 503 });
    await world.pass(timing.leaseMs);
    await claim();
    expect(world.stored().plain).toMatchObject({ accessToken: "new", refreshToken: "r-old" });
  },
);
