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

/** Its revocation ends the user's whole grant; `person` is behind every grant, unless the vendor does not tell. */
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

/** The sweep's part: it comes when the instance is due. */
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

describe("where revocation ends the user's whole grant, a delete", () => {
  test.each<[string, string | undefined, Partial<Instance>]>([
    ["the same account", "person", {}],
    ["an account that nobody knows", undefined, {}],
    ["the same account, in another organization with the same client", "person", { organizationId: "other" }],
  ])("spares it for a living sibling of %s", async (_, account, changes) => {
    put("person");
    put(account, { id: 43, ...changes }, "sibling");
    await remove();
    expect(world.revoked).toEqual([]);
    expect([...world.items.keys()]).toEqual([43]);
  });

  test("ends it with the last sibling", async () => {
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
  ])("ends it in spite of an instance %s", async (_, account, changes) => {
    put("person");
    put(account, { id: 43, ...changes });
    await remove();
    expect(world.revoked).toEqual(["old"]);
  });

  test("asks twice for siblings, however many instances there are", async () => {
    put("person");
    for (let id = 100; id < 600; id++) put(`person ${id}`, { id });
    await markForDeletion(world.deps, 42);
    await world.pass(timing.indexMs);
    world.tableCalls.length = 0;
    await finishDeletion(world.deps, 42, world.call);
    expect(world.tableCalls).toEqual(["get", "claimDeletion", "hasSibling", "hasSibling", "remove"]);
    expect(world.revoked).toEqual(["old"]);
  });

  test("asks nobody until the index shows what came just before", async () => {
    put("person");
    await markForDeletion(world.deps, 42);
    world.tableCalls.length = 0;
    await world.pass(timing.indexMs - 2_000);
    await finishDeletion(world.deps, 42, world.call);
    expect(world.tableCalls).toEqual(["get", "pushDeletion"]);
    expect(world.stored()).toMatchObject({
      deleting: true,
      dueAt: (world.stored().deletingSince ?? 0) + timing.indexMs,
    });
    await workOff();
    expect(world.revoked).toEqual(["old"]);
  });

  test("is due at its own time though the sweep pushed it meanwhile", async () => {
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

  test("of both siblings at once spares nothing", async () => {
    put("person");
    put("person", { id: 43 }, "sibling");
    await markForDeletion(world.deps, 42);
    await markForDeletion(world.deps, 43);
    await workOff(42);
    await workOff(43);
    expect(world.revoked).toEqual(["old", "sibling"]);
  });

  describe("of an instance whose account was never noted", () => {
    beforeEach(() => {
      put(undefined);
    });

    test("asks the vendor for it, and then for its siblings alone", async () => {
      put("somebody else", { id: 43 });
      await remove();
      expect(world.revoked).toEqual(["old"]);
    });

    test("asks the vendor for it, and spares it for a sibling", async () => {
      put("person", { id: 43 });
      await remove();
      expect(world.revoked).toEqual([]);
    });

    test("spares it where the vendor does not tell for an hour: any other may be a sibling", async () => {
      world.connector = silent;
      const start = world.now;
      await remove();
      expect(world.revoked).toEqual([]);
      expect(world.now - start).toBeGreaterThanOrEqual(timing.consentMs);
      expect(world.now - start).toBeLessThan(2 * timing.consentMs);
    });

    test("ends it when the vendor tells a little later", async () => {
      world.connector = silent;
      await markForDeletion(world.deps, 42);
      await world.pass(timing.indexMs);
      await finishDeletion(world.deps, 42, world.call);
      expect(world.stored().deleting).toBe(true);
      world.connector = whole();
      await workOff();
      expect(world.revoked).toEqual(["old"]);
    });

    test("has all instances of the client for siblings where the vendor tells of nobody", async () => {
      world.connector = mute;
      put(undefined, { id: 43 }, "sibling");
      await remove();
      expect(world.revoked).toEqual([]);
      await remove(43);
      expect(world.revoked).toEqual(["sibling"]);
    });
  });

  test("ends it as soon as the account of an unknown sibling turns out to be another", async () => {
    put("person");
    const sibling = put(undefined, { id: 43 });
    await markForDeletion(world.deps, 42);
    await world.pass(timing.indexMs);
    await finishDeletion(world.deps, 42, world.call);
    expect(world.stored().deleting).toBe(true);
    const other = whole(async () => ({ id: "somebody else" }));
    await noteAccount(world.deps, other, sibling, { accessToken: "theirs" }, world.now);
    await workOff();
    expect(world.revoked).toEqual(["old"]);
  });

  test("spares what was made before anybody kept siblings for its connector", async () => {
    const { consentKey: _, ...older } = put("person");
    world.items.set(42, older);
    await remove();
    expect(world.revoked).toEqual([]);
  });
});

describe("an import whose client the vendor has never accepted", () => {
  const unproven = (account: string | undefined, organizationId: string) => ({
    organizationId,
    consentKey: unprovenKey(keyOf(account), organizationId),
  });

  test.each<[string, string | undefined]>([
    ["of the same account", "person"],
    ["of an account that nobody knows", undefined],
  ])("%s does not hold up another organization's revocation, not for a minute", async (_, account) => {
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
  ])("%s spares another organization's consent when it is deleted", async (_, account) => {
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

  test("ends its consent when it is the last one", async () => {
    put(undefined, unproven(undefined, "org"));
    await remove();
    expect(world.revoked).toEqual(["old"]);
  });

  test("counts everywhere after its first refresh, with the account that is known by then", async () => {
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

  test("counts everywhere after a caller's refresh, though its account is known already", async () => {
    put("person", { id: 43, ...unproven("person", "stranger") });
    await world.finish(forceRefresh(world.deps, 43, world.call));
    expect(world.stored(43).consentKey).toBe(keyOf("person"));
  });

  test("is proved by the next refresh where the proof of the first could not be written", async () => {
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

  test("is not hidden again by an account that was asked for before the proof", async () => {
    const before = put(undefined, { id: 43, ...unproven(undefined, "stranger") });
    await world.finish(forceRefresh(world.deps, 43, world.call));
    expect(world.stored(43).consentKey).toBe(keyOf());
    await noteAccount(world.deps, whole(), before, { accessToken: "old" }, world.now);
    expect(world.stored(43).consentKey).toBe(keyOf());
  });
});

describe("an instance's consent", () => {
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

  test("of an import is of its organization alone, unless a refresh has proved its client", async () => {
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

  test("is of the unknown when it is made, and of its account when that is noted", async () => {
    const made = await provision(whole());
    expect(made.consentKey).toBe(keyOf(undefined, group));
    await Promise.all(world.after);
    expect(world.stored(made.id).consentKey).toBe(keyOf("person", group));
    expect(world.stored(made.id).consentKey).not.toContain("person");
  });

  test("stays of the unknown where the vendor does not tell, and is not kept where revocation ends a token", async () => {
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

  test("follows a sign-in to another client and the account that it was checked against", async () => {
    put("person");
    await signIn(whole());
    expect(world.stored().consentKey).toBe(keyOf("person", group));
    expect(world.stored().refreshGroup).toBe(group);
  });

  test("is of the unknown after a sign-in of any account, until that one is noted", async () => {
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

  test("is of the unknown until a scheduled refresh finds the vendor willing to tell", async () => {
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

  test("is not changed by an account that is told after a later sign-in", async () => {
    const earlier = put("person");
    await signIn(whole());
    await noteAccount(
      world.deps,
      whole(async () => ({ id: "late" })),
      earlier,
      { accessToken: "old" },
      world.now,
    );
    expect(world.stored()).toMatchObject({ account: { id: "person" }, consentKey: keyOf("person", group) });
  });
});
