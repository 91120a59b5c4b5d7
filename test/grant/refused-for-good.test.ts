import { beforeEach, describe, expect, test } from "vitest";
import { RevocationOwed } from "../../functions/core/grant/rescue/end-record.ts";
import { settleRescueRecord } from "../../functions/core/grant/rescue/rescue-worker.ts";
import { UnreadableRecord } from "../../functions/core/grant/rescue/unreadable-record.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { provisionInstance } from "../../functions/core/grant/sign-in/first-exchange.ts";
import { importInstance } from "../../functions/core/grant/sign-in/import-grant.ts";
import { budgets, jsonBytes } from "../../functions/core/instances/budgets.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { workOn } from "../../functions/worker/work-on.ts";
import { CalmWorld, DAY, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";
import { signIn } from "./signing-in.ts";

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

/** The grant of an item, as JSON: the test vault does not encrypt it. */
const grantOf = ({ grant }: Instance): string => {
  const [, text] = JSON.parse(new TextDecoder().decode(grant)) as [unknown, string];
  return text;
};
const hasMembers = (instance: Instance): boolean => grantOf(instance).includes('"extra"');
const outcomes = () =>
  world.outcomes.map(({ outcome, reason }) => (reason === undefined ? outcome : `${outcome}: ${reason}`));
const told = () =>
  world.announced.map(({ name, reason }) => (reason === undefined ? name : `${name}: ${reason}`));

const members = (count: number, length = 1_500): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`member${n}`, "x".repeat(length)]));

const due = () => ({ instanceId: 42, cause: "schedule" as const });
const putDue = (changes: Partial<Instance> = {}) =>
  world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now }, { dueAt: world.now, ...changes });

const newInstance = () => ({
  organizationId: "org",
  userId: "user",
  connector,
  client: { kind: "own", id: "client", secret: "secret" } as const,
  redirectUri: "https://app.example/cb",
  configuration: {},
  name: "Mine",
  tags: ["Mine"],
  secretConfiguration: {},
});
const provision = () =>
  world.finish(
    provisionInstance(world.deps, world.transients, { ...newInstance(), code: "code" }, world.call),
  );

describe("a refresh whose answer has more members than are stored", () => {
  test("keeps the connection, and as many of the members as there is room for", async () => {
    putDue();
    world.answer = () => granted("new", { extra: members(300) });
    await world.finish(refreshDue(world.deps, due(), world.call));
    const { plain } = world.stored();
    expect(plain.accessToken).toBe("new");
    expect(jsonBytes(plain.extra)).toBeLessThanOrEqual(budgets.extra);
    expect(outcomes()).toEqual(["refreshed"]);
  });

  test("does not store more from refresh to refresh when the members have new names each time", async () => {
    for (let round = 0; round < 20; round++) {
      const { extra } = world.items.has(42) ? world.stored().plain : {};
      world.put(
        { obtainedAt: world.now - HOUR, expiresAt: world.now, ...(extra === undefined ? {} : { extra }) },
        { dueAt: world.now },
      );
      world.answer = () => granted("new", { extra: { [`round${round}`]: "x".repeat(1_900), small: "kept" } });
      await world.finish(refreshDue(world.deps, due(), world.call));
      expect(jsonBytes(world.stored().plain)).toBeLessThan(budgets.extra + 1_000);
    }
    expect(world.stored().plain.extra?.small).toBe("kept");
  });

  test("is stored without undeclared members when the item has no room for any", async () => {
    putDue();
    world.holds = (instance) => !hasMembers(instance);
    world.answer = () => granted("new", { extra: members(1) });
    const start = world.now;
    await world.finish(refreshDue(world.deps, due(), world.call));
    expect(world.stored().plain).toMatchObject({ accessToken: "new", refreshToken: "r-new" });
    expect(world.stored().plain).not.toHaveProperty("extra");
    expect(outcomes()).toEqual(["refreshed"]);
    expect(world.now - start).toBeLessThan(1_000);
  });

  test("keeps the members that the connector declares, whatever else is dropped", async () => {
    world.connector = { ...connector, captured: [{ key: "instance_url" }] };
    putDue();
    world.holds = (instance) => !grantOf(instance).includes("member0");
    world.answer = () =>
      granted("new", { extra: { ...members(3), instance_url: `https://${"u".repeat(9_000)}` } });
    await world.finish(refreshDue(world.deps, due(), world.call));
    expect(Object.keys(world.stored().plain.extra ?? {})).toEqual(["instance_url"]);
  });
});

describe("a refreshed grant that the table refuses for good", () => {
  test("ends at once: it is revoked, counted and reported, and the lease is given back for a later try", async () => {
    putDue();
    world.holds = (instance) => instance.version === 1;
    const start = world.now;
    await world.finish(refreshDue(world.deps, due(), world.call));
    expect(world.now - start).toBeLessThan(1_000);
    expect(world.revoked).toEqual(["new"]);
    expect(outcomes()).toEqual(["lost: store_refused"]);
    expect(told()).toEqual(["instance.grant_lost: store_refused", "instance.refresh_failed: store_refused"]);
    expect(world.records.size).toBe(0);
    const { until, lastError, retryAt, attempts, version } = world.stored();
    expect({ until, lastError, attempts, version }).toEqual({
      lastError: "store_refused",
      attempts: 1,
      version: 1,
    });
    expect(retryAt).toBeGreaterThan(world.now);
  });

  test("is not revoked when the refresh token did not change, because the old grant needs it", async () => {
    putDue();
    world.holds = (instance) => instance.version === 1;
    world.answer = () => granted("new", { refreshToken: "r-old" });
    await world.finish(refreshDue(world.deps, due(), world.call));
    expect(world.revoked).toEqual([]);
    expect(told()).toEqual(["instance.refresh_failed: store_refused"]);
    world.holds = () => true;
    world.now += HOUR;
    await world.finish(refreshDue(world.deps, due(), world.call));
    expect(world.stored().plain.accessToken).toBe("new");
  });

  test("is revoked later when the vendor does not accept that now", async () => {
    putDue();
    world.holds = (instance) => instance.version === 1;
    world.revocationFails = true;
    await world.finish(refreshDue(world.deps, due(), world.call));
    expect(world.revoked).toEqual([]);
    const [key = ""] = world.records.keys();
    expect(key).toMatch(/^rescue\/42\/signin-0{15}-/);
    world.revocationFails = false;
    await world.finish(settleRescueRecord(world.deps, key, world.call));
    expect(world.revoked).toEqual(["new"]);
    expect(world.records.size).toBe(0);
  });

  test("does not keep the function busy until its end, whatever the vendor sends", async () => {
    putDue();
    world.answer = () => granted("a".repeat(70_000));
    const start = world.now;
    const message = { messageId: "a", body: JSON.stringify({ kind: "refresh", ...due() }) };
    await world.finish(workOn(world.deps, [message], () => 300_000 - (world.now - start)));
    expect(world.now - start).toBeLessThan(1_000);
    expect(outcomes()).toEqual(["lost: store_refused"]);
  });
});

describe("a first grant that the table refuses for good", () => {
  test("is stored without undeclared members if that helps", async () => {
    world.holds = (instance) => !hasMembers(instance);
    world.exchange = () => granted("first", { extra: members(2) });
    const { instance } = await provision();
    expect(world.stored(instance.id).plain.accessToken).toBe("first");
    expect(world.records.size).toBe(0);
  });

  test("is revoked, its caller gets an error, and nothing is left", async () => {
    world.holds = () => false;
    const start = world.now;
    await expect(provision()).rejects.toMatchObject({ status: 502, code: "grant_not_storable" });
    expect(world.now - start).toBeLessThan(1_000);
    expect([world.items.size, world.records.size, world.revoked]).toEqual([0, 0, ["first"]]);
    expect(outcomes()).toEqual(["lost: store_refused"]);
    expect(told()).toEqual(["instance.grant_lost: store_refused"]);
  });

  test("is not revoked when it was imported and its refresh token did not change", async () => {
    world.holds = () => false;
    const importing = () =>
      world.finish(importInstance(world.deps, { ...newInstance(), refreshToken: "r-mine" }, world.call));
    world.answer = () => granted("imported", { refreshToken: undefined });
    await expect(importing()).rejects.toMatchObject({ code: "grant_not_storable" });
    expect(world.revoked).toEqual([]);
    world.answer = () => granted("imported");
    await expect(importing()).rejects.toMatchObject({ code: "grant_not_storable" });
    expect(world.revoked).toEqual(["imported"]);
  });
});

describe("a new sign-in that the table refuses for good", () => {
  test("ends its new grant and keeps the old one in use", async () => {
    world.put();
    world.holds = (instance) => instance.version === 1;
    await expect(signIn(world)).rejects.toMatchObject({ status: 502, code: "grant_not_storable" });
    expect(world.revoked).toEqual(["first"]);
    expect(world.stored().plain.accessToken).toBe("old");
    expect(outcomes()).toEqual(["lost: store_refused"]);
  });

  test("drops replaced grants that the item has no room for, and counts them as lost", async () => {
    world.put({}, { configuration: { filler: "x".repeat(405_000) } });
    await signIn(world);
    expect(world.stored().plain.accessToken).toBe("first");
    expect(world.stored()).not.toHaveProperty("replacedGrants");
    expect(outcomes()).toEqual(["lost"]);
  });
});

describe("a rescue record", () => {
  /** Makes a record of each kind, as an outage of the table leaves it. */
  async function recordOf(kind: "refresh" | "sign-in" | "new"): Promise<string> {
    world.answer = () => {
      world.tableFails = true;
      return granted("new", { extra: members(2) });
    };
    world.exchange = () => {
      world.tableFails = true;
      return granted("first", { extra: members(2) });
    };
    if (kind === "refresh") {
      putDue();
      await world.finish(refreshDue(world.deps, due(), world.call));
    } else if (kind === "sign-in") {
      world.put();
      await signIn(world);
    } else await provision();
    world.tableFails = false;
    world.outcomes.length = 0;
    world.announced.length = 0;
    const [key = ""] = world.records.keys();
    expect(world.records.get(key)?.kind).toBe(kind);
    return key;
  }
  const settle = (key: string) => world.finish(settleRescueRecord(world.deps, key, world.call));
  const accessToken = (kind: string) => (kind === "refresh" ? "new" : "first");

  describe.each(["refresh", "sign-in", "new"] as const)("of kind %s", (kind) => {
    test("is written without undeclared members when the table refuses it with them", async () => {
      const key = await recordOf(kind);
      world.holds = (instance) => !hasMembers(instance);
      await settle(key);
      const [instance] = [...world.items.values()];
      expect(grantOf(instance as Instance)).toContain(`"accessToken":"${accessToken(kind)}"`);
      expect(world.records.size).toBe(0);
      expect(outcomes()).toEqual(["rescued"]);
    });

    test("ends at once when the table will never accept it", async () => {
      const key = await recordOf(kind);
      world.holds = ({ version }) => kind !== "new" && version === 1;
      await settle(key);
      expect(world.revoked).toEqual([accessToken(kind)]);
      expect(world.records.size).toBe(0);
      expect(outcomes()).toEqual(["lost: store_refused"]);
      expect(told()).toEqual([
        "instance.grant_lost: store_refused",
        // The event of its creation was sent when the record was written.
        ...(kind === "new" ? ["instance.deleted"] : []),
      ]);
    });

    test("waits until the vendor accepts the revocation, for at most 7 days", async () => {
      const key = await recordOf(kind);
      world.holds = ({ version }) => kind !== "new" && version === 1;
      world.revocationFails = true;
      await expect(settle(key)).rejects.toThrow(RevocationOwed);
      world.now += 7 * DAY - 2 * HOUR;
      await expect(settle(key)).rejects.toThrow(RevocationOwed);
      world.now += 3 * HOUR;
      await settle(key);
      expect(world.records.size).toBe(0);
      expect(told()).toContain("instance.revocation_failed");
    });

    test("that waits for the vendor is sent again by the sweep, not by the queue", async () => {
      const key = await recordOf(kind);
      world.holds = ({ version }) => kind !== "new" && version === 1;
      world.revocationFails = true;
      const message = { messageId: "a", body: JSON.stringify({ kind: "rescue", key }) };
      const answer = await world.finish(workOn(world.deps, [message], () => 300_000));
      expect(answer.batchItemFailures).toEqual([]);
      expect(world.records.size).toBe(1);
    });

    test("that cannot be settled for any reason ends when it is 7 days old, and not before", async () => {
      const key = await recordOf(kind);
      const stuck = async () => {
        throw new Error("some failure that no sweep mends");
      };
      Object.assign(world.deps.instances, { create: stuck, commit: stuck, signIn: stuck });
      await expect(settle(key)).rejects.toThrow("some failure");
      world.now += 7 * DAY;
      await settle(key);
      expect(world.records.size).toBe(0);
      expect(world.revoked).toEqual([accessToken(kind)]);
      expect(outcomes()).toEqual(["lost: record_too_old"]);
    });

    test("that the table refuses, and that cannot be made smaller, ends when it is 7 days old", async () => {
      const key = await recordOf(kind);
      world.holds = () => false;
      const { connectors } = world.deps;
      Object.assign(world.deps, { connectors: () => undefined });
      await expect(settle(key)).rejects.toThrow();
      world.now += 7 * DAY;
      await settle(key);
      Object.assign(world.deps, { connectors });
      expect(world.records.size).toBe(0);
      expect(outcomes()).toEqual(["lost: record_too_old"]);
    });

    test("is kept through an outage that lasts longer than 7 days", async () => {
      const key = await recordOf(kind);
      world.now += 20 * DAY;
      world.tableFails = true;
      await expect(settle(key)).rejects.toThrow("the table fails");
      world.tableFails = false;
      await settle(key);
      expect(outcomes()).toEqual(["rescued"]);
    });
  });

  test("of a new connection, written by an older version and too large for the table, ends and leaves no item", async () => {
    const instance = world.put({}, { id: 9, createdAt: world.now - 2 * DAY, configuration: { filler: "x" } });
    world.items.clear();
    world.records.set("rescue/9/new", { kind: "new", instance });
    world.holds = () => false;
    await settle("rescue/9/new");
    expect([world.records.size, world.items.size, world.revoked]).toEqual([0, 0, ["old"]]);
  });

  test("that this version cannot read is kept for 7 days for a version that can", async () => {
    const writtenAt = world.now;
    Object.assign(world.deps.rescue, {
      read: async () => {
        throw new UnreadableRecord("this version does not know its kind", writtenAt);
      },
    });
    world.records.set("rescue/5/other", { kind: "new", instance: world.put() });
    await expect(settle("rescue/5/other")).rejects.toThrow(UnreadableRecord);
    expect(world.records.size).toBe(1);
    world.now += 7 * DAY;
    await settle("rescue/5/other");
    expect(world.records.size).toBe(0);
    expect(world.outcomes).toMatchObject([{ outcome: "lost", reason: "record_unreadable", instanceId: 5 }]);
  });
});
