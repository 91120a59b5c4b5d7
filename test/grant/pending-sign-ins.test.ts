import { beforeEach, describe, expect, test } from "vitest";
import { consentKey } from "../../functions/core/grant/consent/key.ts";
import { claimSignIn } from "../../functions/core/grant/pending/claim-sign-in.ts";
import { type HostedSignIn, holdSignIn } from "../../functions/core/grant/pending/hold-sign-in.ts";
import { refusePending } from "../../functions/core/grant/pending/refuse-pending.ts";
import { settlePending } from "../../functions/core/grant/pending/settle-pending.ts";
import { settleRescueRecord } from "../../functions/core/grant/rescue/rescue-worker.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { refreshGroup } from "../../functions/core/grant/store/refresh-group.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import type { PendingKey } from "../../functions/core/instances/pending-sign-in.ts";
import { epochOf } from "../../functions/core/instances/sign-in-epoch.ts";
import { CalmWorld, DAY, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";
import { signIn } from "./signing-in.ts";
import { toldBy } from "./told-by.ts";

const HALF_AN_HOUR = 30 * 60_000;
let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

async function hold(
  name: string,
  into: HostedSignIn["into"] = { instanceId: 42 },
  more: Partial<HostedSignIn> = {},
): Promise<PendingKey> {
  world.exchange = () => granted(name, more.askedScopes === undefined ? {} : { scope: "read" });
  const request: HostedSignIn = {
    organizationId: "org",
    userId: "user",
    connector: world.connector,
    client: { kind: "own", id: "client", secret: "secret" },
    code: `code-${name}`,
    redirectUri: "https://ours.example/cb",
    configuration: {},
    epoch: epochOf(world.now, name),
    sessionId: `cs_${name}`,
    endsAt: world.now + HALF_AN_HOUR,
    into,
    ...more,
  };
  const { key } = await world.finish(holdSignIn(world.deps, world.transients, request, world.call));
  await world.settle();
  return key;
}
const anew = { name: "New", tags: ["t"], secretConfiguration: { "api.key": "k" } };
const claim = (pending: PendingKey, more: Partial<Parameters<typeof claimSignIn>[1]> = {}) =>
  world.finish(
    claimSignIn(world.deps, { pending, isNew: false, acceptUnknownAccount: true, ...more }, world.call),
  );
const settle = (key: PendingKey) => world.finish(settlePending(world.deps, key, world.call));
const told = () => world.announced.map(({ name }) => name);

/** Accounts by access token; a token that is not here has none that the vendor tells. */
function withAccounts(accounts: Record<string, string>): void {
  world.connector = {
    ...world.connector,
    account: toldBy(async (token) => {
      const id = accounts[token];
      if (id === undefined) throw new Error("not in this scope");
      return { id };
    }),
  };
}

describe("a sign-in to an instance that is there", () => {
  test("leaves it as it is until the claim, and replaces the old grant then", async () => {
    const before = world.put();
    const key = await hold("new");
    expect(world.items.get(42)).toEqual(before);
    expect(told()).toEqual([]);
    await claim(key);
    expect(world.stored().plain).toMatchObject({ accessToken: "new", refreshToken: "r-new" });
    expect(world.stored().epoch).toBe(key.epoch);
    expect(world.revoked).toEqual(["old"]);
    expect(told()).toEqual(["instance.reauthenticated"]);
  });

  test("its item stays until no process can still write it, then a worker removes it", async () => {
    world.put();
    const key = await hold("new");
    await claim(key);
    await settle(key);
    expect(world.pending().dueAt).toBe((world.pending().claimedAt ?? 0) + timing.claimedMs);
    await world.pass(timing.claimedMs);
    await settle(key);
    expect(world.pendings.size).toBe(0);
    expect(world.stored().plain.accessToken).toBe("new");
    expect(world.revoked).toEqual(["old"]);
  });

  test("a worker finishes a claim whose process died after its mark", async () => {
    world.put();
    const key = await hold("new");
    await world.deps.pendings.markClaimed(key, { at: world.now, dueAt: world.now });
    await settle(key);
    expect(world.stored().plain.accessToken).toBe("new");
    expect(await claim(key)).toMatchObject({ id: 42, epoch: key.epoch });
  });

  test("a claim that is repeated, at once or when its item has gone, answers the same and writes nothing anew", async () => {
    world.put();
    const key = await hold("new");
    await claim(key);
    const version = world.stored().version;
    await claim(key);
    await world.pass(timing.claimedMs);
    await settle(key);
    expect(await claim(key)).toMatchObject({ id: 42, epoch: key.epoch, version });
    expect(world.stored().version).toBe(version);
  });

  test("is refused: nobody claims it any more, its grant is revoked, the instance stays", async () => {
    const before = world.put();
    const key = await hold("new");
    expect(await refusePending(world.deps, key, false)).toBe(true);
    expect(world.handedOver).toEqual([{ id: 42, cause: "pending" }]);
    await expect(claim(key)).rejects.toMatchObject({ status: 404, code: "unknown_session" });
    await settle(key);
    expect(world.revoked).toEqual(["new"]);
    expect(world.pendings.size).toBe(0);
    expect(world.items.get(42)).toEqual(before);
    expect(await refusePending(world.deps, key, false)).toBe(true);
  });

  test("what was claimed is refused no more, not even when its item has gone", async () => {
    world.put();
    const key = await hold("new");
    await claim(key);
    expect(await refusePending(world.deps, key, false)).toBe(false);
    await world.pass(timing.claimedMs);
    await settle(key);
    expect(await refusePending(world.deps, key, false)).toBe(false);
    expect(world.stored().plain.accessToken).toBe("new");
  });

  test("at its end it is revoked and gone; before, a worker only puts its due time right", async () => {
    world.put();
    const key = await hold("new");
    await settle(key);
    expect(world.pending().dueAt).toBe(world.pending().endsAt);
    await world.pass(HALF_AN_HOUR);
    await expect(claim(key)).rejects.toMatchObject({ code: "unknown_session" });
    await settle(key);
    expect(world.revoked).toEqual(["new"]);
    expect(world.pendings.size).toBe(0);
  });

  test("a vendor that does not take the revocation is asked for 7 days, by way of the rescue bucket", async () => {
    world.put();
    const key = await hold("new");
    world.revocationFails = true;
    await refusePending(world.deps, key, false);
    await settle(key);
    expect(world.pendings.size).toBe(0);
    const [record] = world.records.keys();
    await expect(settleRescueRecord(world.deps, record ?? "", world.call)).rejects.toThrow("not taken yet");
    world.revocationFails = false;
    await settleRescueRecord(world.deps, record ?? "", world.call);
    expect(world.revoked).toEqual(["new"]);
    expect(world.stored().plain.accessToken).toBe("old");
  });

  test("a later direct sign-in ends it", async () => {
    world.put();
    const key = await hold("hosted");
    await world.pass(1_000);
    world.exchange = () => granted("direct");
    await signIn(world, "direct");
    await world.settle();
    expect(world.handedOver).toEqual([{ id: 42, cause: "pending" }]);
    await expect(claim(key)).rejects.toMatchObject({ status: 409, code: "sign_in_superseded" });
    await settle(key);
    expect(world.revoked).toEqual(["old", "hosted"]);
    expect(world.stored().plain.accessToken).toBe("direct");
  });

  test("an earlier sign-in that is claimed later changes nothing", async () => {
    world.put();
    const first = await hold("first");
    await world.pass(1_000);
    const second = await hold("second");
    await claim(second);
    await expect(claim(first)).rejects.toMatchObject({ code: "sign_in_superseded" });
    expect(world.stored().plain.accessToken).toBe("second");
  });

  test("the later of two waits while the earlier is claimed, and may still be", async () => {
    world.put();
    const first = await hold("first");
    await world.pass(1_000);
    const second = await hold("second");
    await claim(first);
    expect(world.stored().plain.accessToken).toBe("first");
    await claim(second);
    expect(world.stored().plain.accessToken).toBe("second");
  });

  test("ends with its instance, even if its item has not yet been looked at", async () => {
    world.put();
    const key = await hold("new");
    await world.deps.instances.markDeleting(42, world.now);
    await world.finish(refreshDue(world.deps, { instanceId: 42, cause: "schedule" }, world.call));
    expect(world.pendings.size).toBe(0);
    expect(world.revoked.toSorted()).toEqual(["new", "old"]);
    await expect(claim(key)).rejects.toMatchObject({ status: 404 });
  });
});

describe("whose account it is", () => {
  test.each([
    ["the new one", { old: "ada" }],
    ["the one before", { new: "ada" }],
  ])("%s is not told: the claim must accept that, and is not used up", async (_which, accounts) => {
    withAccounts(accounts);
    world.put();
    const key = await hold("new");
    const unknown = { status: 409, code: "account_unknown" };
    await expect(claim(key, { acceptUnknownAccount: false })).rejects.toMatchObject(unknown);
    const other = { acceptUnknownAccount: false, acceptOtherAccount: true };
    await expect(claim(key, other)).rejects.toMatchObject(unknown);
    expect(world.stored().plain.accessToken).toBe("old");
    await claim(key, { acceptUnknownAccount: true });
    expect(world.stored().plain.accessToken).toBe("new");
  });

  test("another one: the claim must accept it, and is not used up", async () => {
    withAccounts({ old: "ada", new: "grace" });
    world.put({}, { account: { id: "ada" } });
    const key = await hold("new");
    await expect(claim(key)).rejects.toMatchObject({ status: 409, code: "another_account" });
    expect(world.stored().plain.accessToken).toBe("old");
    await claim(key, { acceptOtherAccount: true });
    expect(world.stored()).toMatchObject({ account: { id: "grace" } });
  });

  test("the same one needs no word, whether it was noted before or not", async () => {
    withAccounts({ old: "ada", new: "ada" });
    world.put();
    await claim(await hold("new"), { acceptUnknownAccount: false });
    expect(world.stored().account).toEqual({ id: "ada" });
  });

  test("a new connection has no account before it", async () => {
    const key = await hold("new", anew);
    await claim(key, { isNew: true, acceptUnknownAccount: false });
    expect(world.stored(key.instanceId).plain.accessToken).toBe("new");
  });
});

describe("a new connection", () => {
  test("has no instance before its claim, and is what the session said after it", async () => {
    const key = await hold("new", anew);
    expect(world.items.size).toBe(0);
    expect(told()).toEqual([]);
    await claim(key, { isNew: true });
    expect(world.stored(key.instanceId)).toMatchObject({
      name: "New",
      tags: ["t"],
      secretConfigurationKeys: ["api.key"],
      version: 1,
      enabled: true,
      epoch: key.epoch,
    });
    expect(told()).toEqual(["instance.created"]);
  });

  test("several claims at once make one instance", async () => {
    const key = await hold("new", anew);
    const claims = [1, 2, 3].map(() => claimSignIn(world.deps, { pending: key, isNew: true }, world.call));
    const made = await world.finish(Promise.all(claims));
    expect(made.map(({ id }) => id)).toEqual(Array(3).fill(key.instanceId));
    expect(world.items.size).toBe(1);
    expect(new Set(world.announced.map(({ id }) => id)).size).toBe(1);
  });

  test("whose maker died right after is told of by who finds it made: its scopes and account, too", async () => {
    const key = await hold("new", anew, { askedScopes: ["read", "write"] });
    const dying = { ...world.deps, announce: () => Promise.reject(new Error("it died")) };
    const silent = { ...world.call, afterAnswer: (work: Promise<unknown>) => void work.catch(() => {}) };
    await world.finish(claimSignIn(dying, { pending: key, isNew: true }, silent));
    expect(told()).toEqual([]);
    expect(world.stored(key.instanceId)).not.toHaveProperty("account");

    withAccounts({ new: "ada" });
    await claim(key, { isNew: true });
    await Promise.all(world.after);
    expect(told()).toEqual(["instance.created", "instance.scopes_missing"]);
    expect(world.stored(key.instanceId).account).toEqual({ id: "ada" });
  });

  test("that was claimed and deleted does not come back by a process that is late", async () => {
    const key = await hold("new", anew);
    const late = { ...world.deps.instances };
    const held = Promise.withResolvers<void>();
    const deps = {
      ...world.deps,
      instances: {
        ...late,
        create: async (instance: Parameters<typeof late.create>[0]) => {
          await held.promise;
          return await late.create(instance);
        },
      },
    };
    const slow = claimSignIn(deps, { pending: key, isNew: true }, world.call);
    slow.catch(() => {});
    await world.settle();
    await claim(key, { isNew: true });
    await world.deps.instances.markDeleting(key.instanceId, world.now);
    await world.finish(refreshDue(world.deps, { instanceId: key.instanceId, cause: "schedule" }, world.call));
    expect(world.items.size).toBe(0);
    held.resolve();
    await expect(world.finish(slow)).rejects.toMatchObject({ status: 404 });
    expect(world.items.get(key.instanceId)?.deleting).toBe(true);
  });

  test("whose id was taken meanwhile ends: nobody else's instance is touched", async () => {
    const key = await hold("new", anew);
    const other = world.put({}, { id: key.instanceId, organizationId: "else", createdAt: 1 });
    await expect(claim(key, { isNew: true })).rejects.toMatchObject({ code: "unknown_session" });
    expect(world.items.get(key.instanceId)).toEqual(other);
    await world.pass(timing.claimedMs);
    await settle(key);
    expect(world.revoked).toEqual(["new"]);
  });
});

describe("when the table is down at the callback", () => {
  /** Brings a pending sign-in into the bucket; the table is up again then. */
  async function rescued(into?: HostedSignIn["into"]): Promise<PendingKey> {
    const exchange = () => {
      world.tableFails = true;
      return granted("new");
    };
    const held = hold("new", into);
    world.exchange = exchange;
    const key = await held;
    world.tableFails = false;
    expect([...world.records.keys()]).toEqual([`rescue/${key.instanceId}/pending-${key.epoch}`]);
    expect(world.pendings.size).toBe(0);
    return key;
  }
  const storeRefreshed = async () => {
    for (const key of [...world.records.keys()]) await settleRescueRecord(world.deps, key, world.call);
  };

  test("the rescue worker brings it home, to be claimed", async () => {
    world.put();
    const key = await rescued();
    await storeRefreshed();
    expect(world.records.size).toBe(0);
    await claim(key);
    expect(world.stored().plain.accessToken).toBe("new");
  });

  test("a claim that comes first brings it home itself; the worker's copy ends without harm", async () => {
    world.put();
    const key = await rescued();
    await claim(key);
    await world.pass(timing.claimedMs);
    await settle(key);
    expect(world.pendings.size).toBe(0);
    await storeRefreshed();
    await world.pass(HALF_AN_HOUR);
    await settle(key);
    expect(world.pendings.size).toBe(0);
    expect(world.revoked).toEqual(["old"]);
    expect(world.stored().plain.accessToken).toBe("new");
  });

  test("a new connection's copy that comes home after its claim ends without harm, too", async () => {
    const key = await rescued(anew);
    await claim(key, { isNew: true });
    await world.pass(timing.claimedMs);
    await settle(key);
    await storeRefreshed();
    await world.pass(HALF_AN_HOUR);
    await settle(key);
    expect(world.revoked).toEqual([]);
    expect(world.stored(key.instanceId).plain.accessToken).toBe("new");
  });

  test("a refusal that comes first ends it", async () => {
    world.put();
    const key = await rescued();
    expect(await refusePending(world.deps, key, false)).toBe(true);
    await settle(key);
    expect(world.revoked).toEqual(["new"]);
    await storeRefreshed();
    await world.pass(HALF_AN_HOUR);
    await settle(key);
    expect(world.pendings.size).toBe(0);
    expect(world.stored().plain.accessToken).toBe("old");
  });
});

describe("where revocation ends the whole consent", () => {
  const group = refreshGroup(connector.key, "client");
  const whole = {
    ...connector,
    oauth2: {
      ...connector.oauth2,
      revocation: { url: "https://vendor.example/revoke", style: "rfc7009", ends: "grant" },
    },
  } as const;
  const keyOf = (id: string) => consentKey(whole, group, { id });
  beforeEach(() => {
    world.connector = whole;
  });

  /** Until it is gone, or nothing happens any more. */
  async function end(key: PendingKey): Promise<void> {
    await refusePending(world.deps, key, false);
    for (let visits = 0; visits < 20 && world.pendings.size > 0; visits++) {
      await world.pass(HOUR);
      await settle(key);
    }
    expect(world.pendings.size).toBe(0);
  }

  test("a refused sign-in of the instance's own account revokes nothing: it would end the living one", async () => {
    withAccounts({ old: "ada", new: "ada" });
    world.put({}, { account: { id: "ada" }, consentKey: keyOf("ada") as string, refreshGroup: group });
    await end(await hold("new"));
    expect(world.revoked).toEqual([]);
  });

  test("one of an account that nobody else hangs on is revoked", async () => {
    withAccounts({ old: "ada", new: "grace" });
    world.put({}, { account: { id: "ada" }, consentKey: keyOf("ada") as string, refreshGroup: group });
    await end(await hold("new"));
    expect(world.revoked).toEqual(["new"]);
  });

  test("one of which nobody can tell whose it is, is spared after an hour", async () => {
    withAccounts({});
    world.put({}, { account: { id: "ada" }, consentKey: keyOf("ada") as string, refreshGroup: group });
    await end(await hold("new"));
    expect(world.revoked).toEqual([]);
  });

  test("what waits for its claim keeps another instance's delete from ending its consent", async () => {
    withAccounts({ old: "ada", new: "ada" });
    world.put({}, { account: { id: "ada" }, consentKey: keyOf("ada") as string, refreshGroup: group });
    const key = await hold("new", anew);
    await world.deps.instances.markDeleting(42, world.now);
    await world.pass(DAY / 100);
    await world.finish(refreshDue(world.deps, { instanceId: 42, cause: "schedule" }, world.call));
    expect(world.items.size).toBe(0);
    expect(world.revoked).toEqual([]);
    await claim(key, { isNew: true });
    expect(world.stored(key.instanceId).plain.accessToken).toBe("new");
  });
});
