import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Connector } from "../../functions/connectors/define-connector.ts";
import { noteAccount } from "../../functions/core/grant/consent/account.ts";
import { consentKey, unprovenKey } from "../../functions/core/grant/consent/key.ts";
import { forceRefresh } from "../../functions/core/grant/refresh/access-token.ts";
import { finishDeletion, markForDeletion } from "../../functions/core/grant/revocation/delete-instance.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { type FirstExchange, provisionInstance } from "../../functions/core/grant/sign-in/first-exchange.ts";
import { type ImportedGrant, importInstance } from "../../functions/core/grant/sign-in/import-grant.ts";
import { type SignIn, signInAgain } from "../../functions/core/grant/sign-in/sign-in.ts";
import { refreshGroup } from "../../functions/core/grant/store/refresh-group.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { epochOf } from "../../functions/core/instances/sign-in-epoch.ts";
import { CalmWorld, granted } from "./calm-world.ts";
import { connector } from "./connector.ts";
import { toldBy } from "./told-by.ts";

/**
 * A connector whose revocation ends the user's whole grant; every account call names `person`, unless `teller` does
 * otherwise.
 */
const whole = (teller: Parameters<typeof toldBy>[0] = async () => ({ id: "person" })): Connector => ({
  ...connector,
  oauth2: {
    ...connector.oauth2,
    revocation: { url: "https://vendor.example/revoke", style: "rfc7009", ends: "grant" },
  },
  account: toldBy(teller),
});
const silent = whole(() => Promise.reject(new Error("503")));
const { account: _, ...mute } = whole();

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
  world.connector = whole();
});

const keyOf = (id?: string, group = "group"): string =>
  consentKey(whole(), group, id === undefined ? undefined : { id }) ?? "";
const put = (account: string | undefined, changes: Partial<Instance> = {}, accessToken = "old") =>
  world.put(
    { accessToken },
    {
      ...(account === undefined ? {} : { account: { id: account } }),
      consentKey: keyOf(account, changes.refreshGroup),
      ...changes,
    },
  );

/** Does what the sweep does: starts the worker when the instance is due. */
async function workOff(id = 42): Promise<void> {
  for (let rounds = 0; rounds < 50 && world.items.has(id); rounds++) {
    await world.pass(Math.max(0, (world.stored(id).dueAt ?? 0) - world.now));
    await finishDeletion(world.deps, id, world.call);
  }
}
async function remove(id = 42): Promise<void> {
  expect(await markForDeletion(world.deps, id)).toBe(true);
  await workOff(id);
  expect(world.items.has(id)).toBe(false);
}

describe("a delete at a vendor whose revocation ends the user's whole grant", () => {
  test.each<[string, string | undefined, Partial<Instance>]>([
    ["the same account", "person", {}],
    ["an account that nobody knows", undefined, {}],
    ["the same account, in another organization with the same client", "person", { organizationId: "other" }],
  ])("keeps the grant for a valid sibling of %s", async (_, account, changes) => {
    put("person");
    put(account, { id: 43, ...changes }, "sibling");
    await remove();
    expect(world.revoked).toEqual([]);
    expect([...world.items.keys()]).toEqual([43]);
  });

  test("ends the grant with the last sibling", async () => {
    put("person");
    put("person", { id: 43 }, "sibling");
    await remove();
    await remove(43);
    expect(world.revoked).toEqual(["sibling"]);
  });

  test.each<[string, string, Partial<Instance>]>([
    ["of another account", "somebody else", {}],
    ["of another client", "person", { refreshGroup: "other" }],
    ["that is being deleted too", "person", { deleting: true }],
  ])("ends the grant when the only other instance is one %s", async (_, account, changes) => {
    put("person");
    put(account, { id: 43, ...changes });
    await remove();
    expect(world.revoked).toEqual(["old"]);
  });

  test("looks for siblings twice, however many instances there are", async () => {
    put("person");
    for (let id = 100; id < 600; id++) put(`person ${id}`, { id });
    await markForDeletion(world.deps, 42);
    await world.pass(timing.indexMs);
    world.tableCalls.length = 0;
    await finishDeletion(world.deps, 42, world.call);
    expect(world.tableCalls).toEqual(["get", "claimDeletion", "hasSibling", "hasSibling", "remove"]);
    expect(world.revoked).toEqual(["old"]);
  });

  test("looks for siblings only when the index contains what was written just before", async () => {
    put("person");
    await markForDeletion(world.deps, 42);
    world.tableCalls.length = 0;
    await world.pass(timing.indexMs - 2_000);
    await finishDeletion(world.deps, 42, world.call);
    expect(world.tableCalls).toEqual(["get", "setDeletionDueAt"]);
    expect(world.stored()).toMatchObject({
      deleting: true,
      dueAt: (world.stored().deletingSince ?? 0) + timing.indexMs,
    });
    await workOff();
    expect(world.revoked).toEqual(["old"]);
  });

  test("sets its own due time even when the sweep pushed the item meanwhile", async () => {
    put("person");
    await markForDeletion(world.deps, 42);
    const { get } = world.deps.instances;
    let reads = 0;
    const instances: typeof world.deps.instances = {
      ...world.deps.instances,
      get: async (id) => {
        const read = await get(id);
        if (reads++ === 0) world.items.set(id, { ...world.stored(id), dueAt: world.now + 5 * 60_000 });
        return read;
      },
    };
    await finishDeletion({ ...world.deps, instances }, 42, world.call);
    expect(world.stored().dueAt).toBe((world.stored().deletingSince ?? 0) + timing.indexMs);
  });

  test("ends the grant when both siblings are deleted at the same time", async () => {
    put("person");
    put("person", { id: 43 }, "sibling");
    await markForDeletion(world.deps, 42);
    await markForDeletion(world.deps, 43);
    await workOff(42);
    await workOff(43);
    expect(world.revoked).toEqual(["old", "sibling"]);
  });

  describe("of an instance whose account is not stored", () => {
    beforeEach(() => {
      put(undefined);
    });

    test("asks the vendor for the account, and looks only for siblings of that account", async () => {
      put("somebody else", { id: 43 });
      await remove();
      expect(world.revoked).toEqual(["old"]);
    });

    test("asks the vendor for the account, and keeps the grant for a sibling", async () => {
      put("person", { id: 43 });
      await remove();
      expect(world.revoked).toEqual([]);
    });

    test("keeps the grant when the vendor names no account for an hour, because any other instance may be a sibling", async () => {
      world.connector = silent;
      const start = world.now;
      await remove();
      expect(world.revoked).toEqual([]);
      expect(world.now - start).toBeGreaterThanOrEqual(timing.consentMs);
      expect(world.now - start).toBeLessThan(2 * timing.consentMs);
    });

    test("ends the grant when the vendor names the account a little later", async () => {
      world.connector = silent;
      await markForDeletion(world.deps, 42);
      await world.pass(timing.indexMs);
      await finishDeletion(world.deps, 42, world.call);
      expect(world.stored().deleting).toBe(true);
      world.connector = whole();
      await workOff();
      expect(world.revoked).toEqual(["old"]);
    });

    test("counts all instances of the client as siblings when the vendor never names accounts", async () => {
      world.connector = mute;
      put(undefined, { id: 43 }, "sibling");
      await remove();
      expect(world.revoked).toEqual([]);
      await remove(43);
      expect(world.revoked).toEqual(["sibling"]);
    });
  });

  test("ends the grant as soon as the account of an unknown sibling is found to be another", async () => {
    put("person");
    const sibling = put(undefined, { id: 43 });
    await markForDeletion(world.deps, 42);
    await world.pass(timing.indexMs);
    await finishDeletion(world.deps, 42, world.call);
    expect(world.stored().deleting).toBe(true);
    const other = whole(async () => ({ id: "somebody else" }));
    await noteAccount(world.deps, other, sibling, { accessToken: "theirs" });
    await workOff();
    expect(world.revoked).toEqual(["old"]);
  });

  test("keeps the grant of an instance that was created before its connector had siblings", async () => {
    const { consentKey: _, ...older } = put("person");
    world.items.set(42, older);
    await remove();
    expect(world.revoked).toEqual([]);
  });
});

describe("an import whose client no vendor answer has proved", () => {
  const unproven = (account: string | undefined, organizationId: string) => ({
    organizationId,
    consentKey: unprovenKey(keyOf(account), organizationId),
  });

  test.each<[string, string | undefined]>([
    ["of the same account", "person"],
    ["of an account that nobody knows", undefined],
  ])("%s does not delay another organization's revocation", async (_, account) => {
    put("person");
    put(account, { id: 43, ...unproven(account, "stranger") }, "garbage");
    await markForDeletion(world.deps, 42);
    await world.pass(timing.indexMs);
    await finishDeletion(world.deps, 42, world.call);
    expect(world.items.has(42)).toBe(false);
    expect(world.revoked).toEqual(["old"]);
  });

  test.each<[string, string | undefined]>([
    ["of the same account", "person"],
    ["of an account that nobody knows", undefined],
  ])("%s is a sibling in its own organization", async (_, account) => {
    put("person");
    put(account, { id: 43, ...unproven(account, "org") }, "sibling");
    await remove();
    expect(world.revoked).toEqual([]);
  });

  test.each<[string, string | undefined]>([
    ["of the same account", "person"],
    ["of an account that nobody knows", undefined],
  ])("%s leaves another organization's consent alone when the import is deleted", async (_, account) => {
    put("person", {}, "theirs");
    put(account, { id: 43, ...unproven(account, "stranger") }, "stolen");
    await remove(43);
    expect(world.revoked).toEqual([]);
    expect([...world.items.keys()]).toEqual([42]);
  });

  test("is no sibling of another organization's unproven import", async () => {
    put("person", unproven("person", "one"), "first");
    put("person", { id: 43, ...unproven("person", "other") }, "second");
    await remove();
    expect(world.revoked).toEqual(["first"]);
  });

  test("ends its consent when it is the last instance", async () => {
    put(undefined, unproven(undefined, "org"));
    await remove();
    expect(world.revoked).toEqual(["old"]);
  });

  test("is a sibling everywhere after its first refresh, with the account known by then", async () => {
    put("person", {}, "theirs");
    put(undefined, { id: 43, ...unproven(undefined, "stranger") });
    const mark = { consentKey: unprovenKey(keyOf(), "stranger") };
    expect(world.stored(43)).toMatchObject(mark);
    const work = { instanceId: 43, cause: "forced" } as const;
    world.answer = () => ({ kind: "invalid_grant", error: "invalid_grant" });
    await world.finish(refreshDue(world.deps, work, world.call));
    await Promise.all(world.after);
    expect(world.stored(43)).toMatchObject(mark);

    const { deadVersion: _, forcedAt: __, ...alive } = world.stored(43);
    world.items.set(43, alive);
    world.answer = () => granted("new");
    await world.finish(refreshDue(world.deps, work, world.call));
    await Promise.all(world.after);
    expect(world.stored(43)).toMatchObject({ account: { id: "person" }, consentKey: keyOf("person") });
    await remove();
    expect(world.revoked).toEqual([]);
  });

  test("is a sibling everywhere after a caller's refresh, also when its account is known already", async () => {
    put("person", { id: 43, ...unproven("person", "stranger") });
    await world.finish(forceRefresh(world.deps, 43, world.call));
    expect(world.stored(43).consentKey).toBe(keyOf("person"));
  });

  test("is proved by the next refresh when the proof of the first could not be written", async () => {
    put("person", { id: 43, ...unproven("person", "stranger") });
    const failing = {
      ...world.deps,
      instances: {
        ...world.deps.instances,
        noteAccount: () => Promise.reject(new Error("the table fails")),
      },
    };
    await world.finish(forceRefresh(failing, 43, world.call));
    expect(world.stored(43)).toMatchObject({ version: 2, ...unproven("person", "stranger") });
    await world.pass(timing.forcedMs);
    await world.finish(forceRefresh(world.deps, 43, world.call));
    expect(world.stored(43).consentKey).toBe(keyOf("person"));
  });

  test("stays proved when an account arrives that was asked for before the proof", async () => {
    const before = put(undefined, { id: 43, ...unproven(undefined, "stranger") });
    await world.finish(forceRefresh(world.deps, 43, world.call));
    expect(world.stored(43).consentKey).toBe(keyOf());
    await noteAccount(world.deps, whole(), before, { accessToken: "old" });
    expect(world.stored(43).consentKey).toBe(keyOf());
  });
});

describe("the consent key of an instance", () => {
  const request: FirstExchange = {
    organizationId: "org",
    userId: "user",
    connector: whole(),
    client: { kind: "own", id: "client", secret: "secret" },
    code: "code-1",
    redirectUri: "https://app.example/cb",
    configuration: {},
    secretConfiguration: {},
    name: "Mine",
    tags: [],
  };
  const group = refreshGroup("vendor", "client");
  const provision = async (with_: Connector): Promise<Instance> => {
    const { instance } = await world.finish(
      provisionInstance(world.deps, world.transients, { ...request, connector: with_ }, world.call),
    );
    return instance;
  };
  const signIn = (with_: Connector, changes: Partial<SignIn> = {}) => {
    world.connector = with_;
    const again = { ...request, instanceId: 42, code: "again", connector: with_, ...changes };
    const epoch = epochOf(world.now, "again");
    return world.finish(signInAgain(world.deps, world.transients, { epoch, ...again }, world.call));
  };

  const imported = async (grant: Partial<ImportedGrant>): Promise<Instance> => {
    const { code, redirectUri, ...rest } = request;
    const made = await world.finish(importInstance(world.deps, { ...rest, ...grant }, world.call));
    await Promise.all(world.after);
    return world.stored(made.instance.id);
  };

  test("of an import counts only in its organization, unless a refresh has proved its client", async () => {
    const garbage = await imported({ connector: silent, accessToken: "garbage" });
    expect(garbage.consentKey).toBe(unprovenKey(keyOf(undefined, group), "org"));
    const known = await imported({ accessToken: "theirs" });
    expect(known.consentKey).toBe(unprovenKey(keyOf("person", group), "org"));
    const proved = await imported({ refreshToken: "r-theirs" });
    expect(proved.consentKey).toBe(keyOf("person", group));
  });

  test("of an import counts everywhere after a sign-in", async () => {
    put("person", { consentKey: unprovenKey(keyOf("person"), "org") });
    await signIn(whole());
    expect(world.stored().consentKey).toBe(keyOf("person", group));
  });

  test("has no account when the instance is created, and gets one when the account is stored", async () => {
    const made = await provision(whole());
    expect(made.consentKey).toBe(keyOf(undefined, group));
    await Promise.all(world.after);
    expect(world.stored(made.id).consentKey).toBe(keyOf("person", group));
    expect(world.stored(made.id).consentKey).not.toContain("person");
  });

  test("keeps no account when the vendor names none, and is not stored when a revocation ends single tokens", async () => {
    const made = await provision(silent);
    const other = await provision({
      ...connector,
      key: "other",
      account: toldBy(async () => ({ id: "person" })),
    });
    await Promise.all(world.after);
    expect(world.stored(made.id).consentKey).toBe(keyOf(undefined, group));
    expect(world.stored(other.id).account).toEqual({ id: "person" });
    expect(world.stored(other.id)).not.toHaveProperty("consentKey");
  });

  test("changes at a sign-in to the new client and to the account that was checked", async () => {
    put("person");
    await signIn(whole());
    expect(world.stored().consentKey).toBe(keyOf("person", group));
    expect(world.stored().refreshGroup).toBe(group);
  });

  test("has no account after a sign-in that accepts any account, until the account is stored", async () => {
    put("person");
    await signIn(silent, { acceptOtherAccount: true });
    await Promise.all(world.after);
    expect(world.stored().consentKey).toBe(keyOf(undefined, group));
    world.now += 1_000;
    await signIn(
      whole(async () => ({ id: "two" })),
      { acceptOtherAccount: true, code: "third" },
    );
    await Promise.all(world.after);
    expect(world.stored()).toMatchObject({ account: { id: "two" }, consentKey: keyOf("two", group) });
  });

  test("has no account until the vendor names one at a scheduled refresh", async () => {
    const due = async (with_: Connector) => {
      world.connector = with_;
      const work = { instanceId: 42, cause: "forced" } as const;
      await world.pass(61_000);
      await world.finish(refreshDue(world.deps, work, world.call));
      await Promise.all(world.after);
    };
    put(undefined);
    await due(silent);
    expect(world.stored()).toMatchObject({ version: 2, consentKey: keyOf() });
    await due(whole());
    expect(world.stored()).toMatchObject({
      version: 3,
      account: { id: "person" },
      consentKey: keyOf("person"),
    });
    const asked = vi.fn(() => Promise.reject(new Error("asked though it is known")));
    await due(whole(asked));
    expect(world.stored().version).toBe(4);
    expect(asked).not.toHaveBeenCalled();
  });

  test("is not changed by an account that arrives after a later sign-in", async () => {
    const earlier = put("person");
    await signIn(whole());
    await noteAccount(
      world.deps,
      whole(async () => ({ id: "late" })),
      earlier,
      { accessToken: "old" },
    );
    expect(world.stored()).toMatchObject({ account: { id: "person" }, consentKey: keyOf("person", group) });
  });
});
