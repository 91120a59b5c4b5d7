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

/** Accounts by access token; for a token that is missing here the vendor names no account. */
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

describe("a hosted sign-in for an existing instance", () => {
  test("leaves the instance as it is until the claim, which replaces the old grant", async () => {
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

  test("keeps its item until no process can still write it, then a worker removes the item", async () => {
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

  test("is finished by a worker when the claiming process died after its mark", async () => {
    world.put();
    const key = await hold("new");
    await world.deps.pendings.markClaimed(key, { at: world.now, dueAt: world.now });
    await settle(key);
    expect(world.stored().plain.accessToken).toBe("new");
    expect(await claim(key)).toMatchObject({ id: 42, epoch: key.epoch });
  });

  test("gives a repeated claim the same answer and writes nothing again, also when its item is removed", async () => {
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

  test("can be refused: then it cannot be claimed, its grant is revoked, and the instance stays", async () => {
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

  test("cannot be refused after its claim, not even when its item is removed", async () => {
    world.put();
    const key = await hold("new");
    await claim(key);
    expect(await refusePending(world.deps, key, false)).toBe(false);
    await world.pass(timing.claimedMs);
    await settle(key);
    expect(await refusePending(world.deps, key, false)).toBe(false);
    expect(world.stored().plain.accessToken).toBe("new");
  });

  test("is revoked and removed at its end; before that, a worker only sets the right due time", async () => {
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

  test("is revoked through the rescue bucket when the vendor does not accept the revocation at once", async () => {
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

  test("is ended by a later direct sign-in", async () => {
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

  test("changes nothing when it is claimed after a later one", async () => {
    world.put();
    const first = await hold("first");
    await world.pass(1_000);
    const second = await hold("second");
    await claim(second);
    await expect(claim(first)).rejects.toMatchObject({ code: "sign_in_superseded" });
    expect(world.stored().plain.accessToken).toBe("second");
  });

  test("waits while an earlier one is claimed, and can be claimed afterwards", async () => {
    world.put();
    const first = await hold("first");
    await world.pass(1_000);
    const second = await hold("second");
    await claim(first);
    expect(world.stored().plain.accessToken).toBe("first");
    await claim(second);
    expect(world.stored().plain.accessToken).toBe("second");
  });

  test("ends with its instance, also when no worker has visited its item", async () => {
    world.put();
    const key = await hold("new");
    await world.deps.instances.markDeleting(42, world.now);
    await world.finish(refreshDue(world.deps, { instanceId: 42, cause: "schedule" }, world.call));
    expect(world.pendings.size).toBe(0);
    expect(world.revoked.toSorted()).toEqual(["new", "old"]);
    await expect(claim(key)).rejects.toMatchObject({ status: 404 });
  });
});

describe("the account of a sign-in", () => {
  test.each([
    ["the new one", { old: "ada" }],
    ["the old one", { new: "ada" }],
  ])(
    "needs the claim's consent when %s is unknown; without it the claim stays valid",
    async (_which, accounts) => {
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
    },
  );

  test("needs the claim's consent when it is another one; without it the claim stays valid", async () => {
    withAccounts({ old: "ada", new: "grace" });
    world.put({}, { account: { id: "ada" } });
    const key = await hold("new");
    await expect(claim(key)).rejects.toMatchObject({ status: 409, code: "another_account" });
    expect(world.stored().plain.accessToken).toBe("old");
    await claim(key, { acceptOtherAccount: true });
    expect(world.stored()).toMatchObject({ account: { id: "grace" } });
  });

  test("needs no consent when it is the same, whether it was stored before or not", async () => {
    withAccounts({ old: "ada", new: "ada" });
    world.put();
    await claim(await hold("new"), { acceptUnknownAccount: false });
    expect(world.stored().account).toEqual({ id: "ada" });
  });

  test("needs no consent for a new connection", async () => {
    const key = await hold("new", anew);
    await claim(key, { isNew: true, acceptUnknownAccount: false });
    expect(world.stored(key.instanceId).plain.accessToken).toBe("new");
  });
});

describe("a new connection", () => {
  test("has no instance before its claim; the claim creates it as the session says", async () => {
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

  test("becomes one instance when several claims come at the same time", async () => {
    const key = await hold("new", anew);
    const claims = [1, 2, 3].map(() => claimSignIn(world.deps, { pending: key, isNew: true }, world.call));
    const made = await world.finish(Promise.all(claims));
    expect(made.map(({ id }) => id)).toEqual(Array(3).fill(key.instanceId));
    expect(world.items.size).toBe(1);
    expect(new Set(world.announced.map(({ id }) => id)).size).toBe(1);
  });

  test("is completed by the next claim when the creating process died: event, scopes and account", async () => {
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

  test("that was claimed and deleted is not created again by a late process", async () => {
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

  test("whose id was taken meanwhile ends, and the other instance is not changed", async () => {
    const key = await hold("new", anew);
    const other = world.put({}, { id: key.instanceId, organizationId: "else", createdAt: 1 });
    await expect(claim(key, { isNew: true })).rejects.toMatchObject({ code: "unknown_session" });
    expect(world.items.get(key.instanceId)).toEqual(other);
    await world.pass(timing.claimedMs);
    await settle(key);
    expect(world.revoked).toEqual(["new"]);
  });
});

describe("a sign-in while the table is down at the callback", () => {
  /** Puts a pending sign-in into the bucket; afterwards the table works again. */
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

  test("is brought back by the rescue worker and can then be claimed", async () => {
    world.put();
    const key = await rescued();
    await storeRefreshed();
    expect(world.records.size).toBe(0);
    await claim(key);
    expect(world.stored().plain.accessToken).toBe("new");
  });

  test("is brought back by a claim that comes first; the worker's later copy does no harm", async () => {
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

  test("is brought back a second time after the claim of a new connection, and does no harm", async () => {
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

  test("is ended by a refusal that comes first", async () => {
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

describe("a pending sign-in at a vendor whose revocation ends the whole consent", () => {
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

  /** Refuses the sign-in and lets workers visit it until its item is removed. */
  async function end(key: PendingKey): Promise<void> {
    await refusePending(world.deps, key, false);
    for (let visits = 0; visits < 20 && world.pendings.size > 0; visits++) {
      await world.pass(HOUR);
      await settle(key);
    }
    expect(world.pendings.size).toBe(0);
  }

  test("is not revoked when it has the instance's own account, because that would end the valid grant", async () => {
    withAccounts({ old: "ada", new: "ada" });
    world.put({}, { account: { id: "ada" }, consentKey: keyOf("ada") as string, refreshGroup: group });
    await end(await hold("new"));
    expect(world.revoked).toEqual([]);
  });

  test("is revoked when no other instance uses its account", async () => {
    withAccounts({ old: "ada", new: "grace" });
    world.put({}, { account: { id: "ada" }, consentKey: keyOf("ada") as string, refreshGroup: group });
    await end(await hold("new"));
    expect(world.revoked).toEqual(["new"]);
  });

  test("whose account stays unknown is not revoked", async () => {
    withAccounts({});
    world.put({}, { account: { id: "ada" }, consentKey: keyOf("ada") as string, refreshGroup: group });
    await end(await hold("new"));
    expect(world.revoked).toEqual([]);
  });

  test("keeps the consent alive when another instance of the account is deleted", async () => {
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
