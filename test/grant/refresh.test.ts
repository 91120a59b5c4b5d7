import { beforeEach, describe, expect, test } from "vitest";
import { refreshGrant } from "../../functions/core/grant/refresh/refresh.ts";
import { RevocationOwed, settleRescueRecord } from "../../functions/core/grant/rescue/rescue-worker.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { CalmWorld, DAY, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
  world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now }, { dueAt: world.now - 1_000 });
});

const refresh = async () => {
  const read = await world.read();
  return await world.finish(refreshGrant(world.deps, read, { cause: "forced" }, world.call));
};
const due = (changes: { id?: number; cause?: "schedule" | "unauthorized"; version?: number } = {}) =>
  world.finish(
    refreshDue(
      world.deps,
      {
        instanceId: changes.id ?? 42,
        cause: changes.cause ?? "schedule",
        ...(changes.version === undefined ? {} : { version: changes.version }),
      },
      world.call,
    ),
  );
const outcomes = (): string[] => world.outcomes.map(({ outcome }) => outcome);

describe("a refresh", () => {
  test("takes the lease, sends once, and commits with its fence as the new version", async () => {
    expect(await refresh()).toMatchObject({ kind: "refreshed", instance: { version: 2, fence: 2 } });
    expect(world.tableCalls).toEqual(["takeLease", "commit"]);
    expect(world.stored()).toMatchObject({
      version: 2,
      fence: 2,
      plain: { accessToken: "new", refreshToken: "r-new", obtainedBy: "refresh" },
    });
    expect(world.stored()).not.toHaveProperty("until");
    expect(outcomes()).toEqual(["refreshed"]);
  });

  test("of another version than the stored one is not done, because the grant was refreshed already", async () => {
    const read = await world.read();
    const stale = { cause: "forced", wanted: 7 } as const;
    expect(await refreshGrant(world.deps, read, stale, world.call)).toEqual({
      kind: "blocked",
      why: "moved",
    });
    expect(world.tableCalls).toEqual([]);
  });

  test("reads the bucket only when the end of an earlier attempt is unknown", async () => {
    world.bucketFails = true;
    expect(await refresh()).toMatchObject({ kind: "refreshed" });
  });

  test("of a grant without a refresh token takes no lease", async () => {
    world.put({ refreshToken: undefined as unknown as string });
    expect(await refresh()).toEqual({ kind: "nothing_to_refresh" });
    expect(world.tableCalls).toEqual([]);
  });

  test("keeps the refresh token, the scope and other values that the vendor leaves out", async () => {
    world.put({ scope: "files", extra: { instance_url: "https://na1" }, expiresAt: world.now });
    world.answer = () => ({
      kind: "granted",
      response: { accessToken: "new", tokenType: "bearer", extra: { region: "eu" } },
    });
    await refresh();
    const { plain } = world.stored();
    expect(plain).toMatchObject({
      refreshToken: "r-old",
      scope: "files",
      extra: { instance_url: "https://na1", region: "eu" },
    });
    expect(plain).not.toHaveProperty("expiresAt");
  });

  test("ends a token's lifetime a little before the vendor does, by the store's time", async () => {
    await refresh();
    const { expiresAt, obtainedAt } = world.stored().plain;
    expect(obtainedAt).toBeLessThanOrEqual(world.now);
    expect(expiresAt).toBe(obtainedAt + HOUR - timing.skewMs);
  });

  test("counts a token's lifetime from the request, however long taking the lease took", async () => {
    const { takeLease } = world.deps.instances;
    world.deps.instances.takeLease = async (...args) => {
      await world.deps.sleep(4_000);
      return await takeLease(...args);
    };
    let sentAt = 0;
    world.answer = () => {
      sentAt = world.now;
      return granted("new", { expiresInMs: 5_000 });
    };
    await refresh();
    const { obtainedAt } = world.stored().plain;
    expect(sentAt - obtainedAt).toBeGreaterThanOrEqual(0);
    expect(sentAt - obtainedAt).toBeLessThan(1_000);
  });

  test.each([
    ["disabled", { enabled: false }],
    ["deleting", { deleting: true }],
    ["needs_reauth", { deadVersion: 1 }],
    ["held", { until: 9e15 }],
  ])("does not begin while %s", async (why, changes) => {
    world.put({}, changes);
    expect(await refresh()).toEqual({ kind: "blocked", why });
    expect(world.sent).toEqual([]);
    expect(world.tableCalls).toEqual([]);
  });

  test("treats a lease as ended only after its last second, because the Date header has whole seconds", async () => {
    const until = Math.floor(world.now / 1000) * 1000;
    world.put({}, { fence: 2, until });
    expect(await refresh()).toEqual({ kind: "blocked", why: "held" });
    await world.pass(1_000);
    expect((await refresh()).kind).toBe("refreshed");
  });

  test("sends nothing when too much time has passed since the item was read", async () => {
    world.deps.vault.prepare = () => world.deps.sleep(11_000).then(() => world.deps.vault);
    expect(await refresh()).toMatchObject({ kind: "failed", outcome: "unreachable" });
    expect(world.sent).toEqual([]);
    expect(world.stored()).not.toHaveProperty("until");
  });

  test("waits a minute for an answer, and sends the token only once while its lease lasts", async () => {
    world.answer = () => world.deps.sleep(59_000).then(() => granted("late"));
    const running = refresh();
    await world.pass(30_000);
    expect(await refresh()).toMatchObject({ kind: "refreshed" });
    await running;
    expect(world.sent).toEqual(["r-old"]);
    expect(world.stored().plain.accessToken).toBe("late");
  });
});

describe("a vendor's answer without a grant", () => {
  const refused = (status: number, retryAfterMs?: number): TokenOutcome => ({
    kind: "refused",
    status,
    error: "slow_down",
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });

  test("429 with Retry-After: the lease is given back, and the instance is due when the vendor says", async () => {
    world.answer = () => refused(429, 10 * 60_000);
    await due();
    const stored = world.stored();
    expect(stored).not.toHaveProperty("until");
    expect(stored.dueAt).toBeGreaterThanOrEqual(world.now + 9 * 60_000);
    expect(stored).toMatchObject({ attempts: 1, lastError: "vendor_refused_429", version: 1 });
    expect(outcomes()).toEqual(["refused"]);
  });

  test("failures back off longer each time, and a success resets the back-off", async () => {
    world.answer = () => refused(400);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      const at = world.now;
      await due();
      waits.push((world.stored().dueAt as number) - at);
      await world.pass(20 * 60_000);
    }
    expect(waits.slice(0, 5)).toEqual(waits.slice(0, 5).toSorted((a, b) => a - b));
    expect(waits[5]).toBeLessThan(21 * 60_000);
    world.answer = () => granted("new");
    await due();
    expect(world.stored()).not.toHaveProperty("attempts");
    expect(world.stored()).not.toHaveProperty("retryAt");
    expect(world.stored()).not.toHaveProperty("lastError");
  });

  test("a delayed refresh is owed from the end of its token, or from its first due time if that is later", async () => {
    const obtainedAt = world.now - 50 * 60_000;
    world.answer = () => refused(503, 60_000);
    world.put({ obtainedAt, expiresAt: world.now + 10 * 60_000 }, { dueAt: world.now - 5_000 });
    await due();
    const ends = world.stored().plain.expiresAt;
    expect(world.stored().dueSince).toBe(ends);
    await world.pass(30_000);
    // Still within its back-off: the time since which the refresh is owed does not change.
    await due();
    expect(world.stored().dueSince).toBe(ends);
    await world.pass(20 * 60_000);
    world.answer = () => granted("new");
    await due();
    expect(world.stored()).not.toHaveProperty("dueSince");

    world.answer = () => refused(503, 60_000);
    const dueAt = world.now - 5_000;
    world.put({ obtainedAt: world.now - 2 * HOUR, expiresAt: world.now - HOUR }, { dueAt });
    await due();
    expect(world.stored().dueSince).toBe(dueAt);
  });

  test("no answer at a vendor that rotates: the lease stays, so that the token is not sent again before the lease ends", async () => {
    world.answer = () => ({ kind: "unknown", reason: "reset" });
    await due();
    expect(world.stored()).toMatchObject({ fence: 2, until: expect.any(Number), version: 1 });
    await due();
    expect(world.sent).toHaveLength(1);
    await world.pass(102_000);
    world.answer = () => granted("new");
    await due();
    expect(world.sent).toHaveLength(2);
    expect(world.stored().version).toBe(3);
  });

  test("no answer at a vendor that does not rotate: the lease is given back", async () => {
    world.connector = { ...connector, oauth2: { ...connector.oauth2, refreshToken: { rotates: false } } };
    world.answer = () => ({ kind: "unknown", reason: "reset" });
    await due();
    expect(world.stored()).not.toHaveProperty("until");
    expect(world.stored().lastError).toBe("vendor_unreachable");
  });

  test("a refused client loses no grant; the vendor gets one probe in each interval", async () => {
    const ids = [42, 43, 44];
    for (const id of ids)
      world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now }, { id, dueAt: world.now });
    world.answer = () => ({ kind: "client_refused", status: 401, error: "invalid_client" });
    const round = async () => {
      for (const instanceId of ids) {
        await world.finish(refreshDue(world.deps, { instanceId, cause: "schedule" }, world.call));
      }
    };
    for (let minute = 0; minute < 60; minute++) {
      await round();
      await world.pass(60_000);
    }
    expect(world.sent.length).toBeLessThanOrEqual(13);
    for (const id of ids) {
      expect(world.stored(id)).not.toHaveProperty("deadVersion");
      expect(world.stored(id).dueSince, "a refresh that is paused is owed too").toBeLessThan(
        world.now - 0.9 * HOUR,
      );
    }
    world.answer = () => granted("healed");
    for (let minute = 0; minute < 30; minute++) {
      await round();
      await world.pass(60_000);
    }
    for (const id of ids) expect(world.stored(id).plain.accessToken).toBe("healed");
    expect([...world.transientItems.keys()]).toEqual([]);
  });
});

describe("while the table is down", () => {
  const failAfterSending = () => {
    world.answer = () => {
      world.tableFails = true;
      return granted("rescued");
    };
  };

  test("the grant goes to the rescue bucket, the lease stays, and the old token is not sent before the bucket is read", async () => {
    failAfterSending();
    expect(await refresh()).toMatchObject({ kind: "refreshed", grant: { accessToken: "rescued" } });
    expect([...world.records.keys()]).toEqual(["rescue/42/2"]);
    world.tableFails = false;
    expect(world.stored()).toMatchObject({ version: 1, fence: 2 });
    await world.pass(102_000);
    expect(await refresh()).toEqual({ kind: "moved" });
    expect(world.stored().plain.accessToken).toBe("rescued");
    expect(world.sent).toEqual(["r-old"]);
    expect(outcomes()).toEqual(["refreshed", "rescued"]);
  });

  test("the rescue worker commits the record, and removes it only then", async () => {
    failAfterSending();
    await refresh();
    await expect(settleRescueRecord(world.deps, "rescue/42/2", world.call)).rejects.toThrow(
      "the table fails",
    );
    expect(world.records.size).toBe(1);
    world.tableFails = false;
    await settleRescueRecord(world.deps, "rescue/42/2", world.call);
    await settleRescueRecord(world.deps, "rescue/42/2", world.call);
    expect(world.stored()).toMatchObject({ version: 2, plain: { accessToken: "rescued" } });
    expect(world.records.size).toBe(0);
  });

  test("a process that cannot read the bucket sends nothing", async () => {
    failAfterSending();
    await refresh();
    world.tableFails = false;
    world.bucketFails = true;
    await world.pass(102_000);
    expect(await refresh()).toMatchObject({ kind: "failed" });
    expect(world.sent).toEqual(["r-old"]);
    expect(world.stored().fence).toBe(2);
  });

  test("and the bucket is down too, both are tried until one accepts the grant", async () => {
    world.answer = () => {
      world.tableFails = true;
      world.bucketFails = true;
      return granted("carried");
    };
    const running = refresh();
    await world.pass(45_000);
    expect(world.records.size).toBe(0);
    world.bucketFails = false;
    await world.pass(25_000);
    await running;
    expect([...world.records.keys()]).toEqual(["rescue/42/2"]);
  });

  test("and the bucket is down too until the function ends, the loss is counted with the instance's id", async () => {
    world.answer = () => {
      world.tableFails = true;
      world.bucketFails = true;
      world.remaining = 0;
      return granted("lost");
    };
    expect(await refresh()).toMatchObject({ kind: "failed", outcome: "lost" });
    expect(world.outcomes).toEqual([
      { outcome: "lost", connector: "vendor", instanceId: 42, cause: "forced" },
    ]);
  });
});

describe("a grant that comes too late", () => {
  // Both grants are of one sign-in. It is unknown which of them the vendor keeps valid, so neither is revoked.
  const overtaken = () => {
    world.items.set(42, { ...world.stored(), version: 9, fence: 9 });
  };

  test("after a later attempt of the same sign-in is not revoked", async () => {
    world.answer = () => {
      overtaken();
      return granted("late");
    };
    expect(await refresh()).toEqual({ kind: "moved" });
    expect(world.revoked).toEqual([]);
    expect(outcomes()).toEqual(["reused"]);
  });

  test("after a later attempt is not revoked by the rescue worker either, and not counted as rescued", async () => {
    world.answer = () => {
      world.tableFails = true;
      return granted("late");
    };
    await refresh();
    world.tableFails = false;
    overtaken();
    world.outcomes.length = 0;
    await settleRescueRecord(world.deps, "rescue/42/2", world.call);
    expect([world.revoked, world.records.size, outcomes()]).toEqual([[], 0, []]);
  });

  test("for a deleted instance is revoked, with new tries for as long as the function lives", async () => {
    world.answer = () => {
      world.items.delete(42);
      return granted("orphan");
    };
    world.revocationFails = true;
    world.bucketFails = true;
    const running = refresh();
    await world.pass(25_000);
    world.revocationFails = false;
    await running;
    expect(world.revoked).toEqual(["orphan"]);
    expect(outcomes()).toEqual(["revoked"]);
  });

  test("for a deleted instance is revoked; when the vendor refuses that, the bucket keeps it for 7 days", async () => {
    world.answer = () => {
      world.items.delete(42);
      return granted("orphan");
    };
    world.revocationFails = true;
    expect(await refresh()).toEqual({ kind: "moved" });
    expect([...world.records.keys()]).toEqual(["rescue/42/2"]);
    await expect(settleRescueRecord(world.deps, "rescue/42/2", world.call)).rejects.toBeInstanceOf(
      RevocationOwed,
    );
    world.revocationFails = false;
    await settleRescueRecord(world.deps, "rescue/42/2", world.call);
    expect(world.revoked).toEqual(["orphan"]);
    expect(world.records.size).toBe(0);
  });

  test("is given up and counted as lost after 7 days", async () => {
    world.answer = () => {
      world.items.delete(42);
      return granted("orphan");
    };
    world.revocationFails = true;
    await refresh();
    world.now += 7 * DAY + 1_000;
    await settleRescueRecord(world.deps, "rescue/42/2", world.call);
    expect(outcomes().at(-1)).toBe("lost");
    expect(world.records.size).toBe(0);
  });

  test("is not revoked when a revocation would end the user's whole grant", async () => {
    const revocation = { url: "https://vendor.example/revoke", style: "rfc7009", ends: "grant" } as const;
    world.connector = { ...connector, oauth2: { ...connector.oauth2, revocation } };
    world.answer = () => {
      world.items.delete(42);
      return granted("orphan");
    };
    await refresh();
    expect(world.revoked).toEqual([]);
    expect(world.records.size).toBe(0);
  });
});

describe("the worker", () => {
  test("does nothing for a message that comes twice", async () => {
    await due();
    await due();
    expect(world.sent).toEqual(["r-old"]);
    expect(outcomes()).toEqual(["refreshed", "reused"]);
  });

  test("does nothing when the version of the message is no longer the stored one", async () => {
    await due({ cause: "unauthorized", version: 7 });
    expect(world.sent).toEqual([]);
  });

  test("does nothing while another process refreshes the grant", async () => {
    world.items.set(42, { ...world.stored(), fence: 2, until: world.now + 60_000 });
    world.tableCalls.length = 0;
    await due();
    expect([world.sent, world.tableCalls, outcomes()]).toEqual([[], ["get"], ["waited"]]);
  });

  test("waits as long as the vendor asked, and is due again then", async () => {
    const { now } = world;
    world.items.set(42, { ...world.stored(), retryAt: now + 40_000 });
    await due();
    expect(world.sent).toEqual([]);
    expect(world.stored()).toMatchObject({ dueAt: now + 40_000, dueSince: now - 1_000 });
  });

  test("does not wait for a Retry-After of a day that an earlier version stored", async () => {
    world.items.set(42, { ...world.stored(), retryAt: world.now + 20 * HOUR });
    await due();
    expect(world.sent).toEqual(["r-old"]);
  });

  test("handles a refused token as a caller does: not within a minute of the last refresh", async () => {
    world.put({ obtainedAt: world.now - 30_000 }, { dueAt: world.now + HOUR });
    world.tableCalls.length = 0;
    await due({ cause: "unauthorized", version: 1 });
    expect([world.sent, world.tableCalls]).toEqual([[], ["get"]]);
    await world.pass(40_000);
    await due({ cause: "unauthorized", version: 1 });
    expect(world.sent).toEqual(["r-old"]);
  });

  test("handles a caller's almost expired token only if the refresh is still needed", async () => {
    world.put({ obtainedAt: world.now }, { dueAt: world.now + HOUR });
    const work = { instanceId: 42, cause: "just_in_time", version: 1 } as const;
    await world.finish(refreshDue(world.deps, work, world.call));
    expect(world.sent).toEqual([]);
    await world.pass(HOUR - 30_000);
    await world.finish(refreshDue(world.deps, work, world.call));
    expect(world.sent).toEqual(["r-old"]);
  });

  test("corrects a due time that is too early", async () => {
    world.put({}, { dueAt: world.now });
    await due();
    expect(world.sent).toEqual([]);
    expect(world.stored().dueAt).toBeGreaterThan(world.now + 0.69 * HOUR);
  });

  test("takes a disabled instance off the due index", async () => {
    world.put({}, { enabled: false, dueAt: world.now });
    await due();
    expect(world.stored()).not.toHaveProperty("dueAt");
  });

  test("takes an unused grant off the due index without a request", async () => {
    const { lastUsedAt, ...unused } = world.put({ expiresAt: world.now }, { createdAt: world.now - 8 * DAY });
    world.items.set(42, unused);
    await due();
    expect(world.sent).toEqual([]);
    expect(world.stored()).not.toHaveProperty("dueAt");
  });

  test("refreshes an unused refresh token that would end from idleness", async () => {
    const refreshToken = { rotates: true, idleLifetimeMs: 60 * DAY };
    world.connector = { ...connector, oauth2: { ...connector.oauth2, refreshToken } };
    const long = world.now - 40 * DAY;
    world.put({ obtainedAt: long, expiresAt: long + HOUR }, { createdAt: long, lastUsedAt: long });
    await due();
    expect(outcomes()).toEqual(["refreshed"]);
    const wait = (world.stored().dueAt as number) - world.now;
    expect(wait).toBeGreaterThan(27 * DAY);
    expect(wait).toBeLessThan(33 * DAY);
  });
});
