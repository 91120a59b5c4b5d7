import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { readRecord, rescueKey, writeRecord } from "../../functions/aws/rescue/record.ts";
import { type SweepDeps, type SweepState, sweep } from "../../functions/core/grant/schedule/sweep.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import type { DueItem } from "../../functions/core/instances/instance-store.ts";
import {
  newInstanceId,
  newInstanceToken,
  readInstanceToken,
} from "../../functions/core/instances/instance-token.ts";
import type { QueuedWork } from "../../functions/core/work-queue/work.ts";
import { CalmWorld, HOUR } from "./calm-world.ts";

const SHARDS = 3;
const NOW = 1_700_000_000_000;

/** The sweep's dependencies: due items by shard, a queue that may refuse, a lock. */
class Sweeping {
  now = NOW;
  remaining = 60_000;
  state: SweepState | undefined;
  readonly due = new Map<number, DueItem>();
  readonly queued: QueuedWork[] = [];
  readonly events: string[] = [];
  rescueKeys: string[] = [];
  /** When each record was written; now, if absent. */
  readonly writtenAt = new Map<string, number>();
  bucketFails = false;
  refuses: (work: QueuedWork) => boolean = () => false;
  msPerPage = 0;

  add(id: number, dueAt: number, refreshGroup = "group"): void {
    this.due.set(id, { id, dueAt, refreshGroup });
  }

  deps(shards = SHARDS): SweepDeps {
    return {
      due: {
        due: async (shard, now, limit, after) => {
          this.events.push(`query ${shard}`);
          this.remaining -= this.msPerPage;
          const items = [...this.due.values()]
            .filter(({ id, dueAt }) => id % 10 === shard && dueAt <= now)
            .toSorted((one, other) => one.dueAt - other.dueAt || one.id - other.id)
            .filter(({ dueAt, id }) => {
              const [time = 0, last = 0] = after?.split("#").map(Number) ?? [];
              return after === undefined || dueAt > time || (dueAt === time && id > last);
            });
          const page = items.slice(0, limit);
          const last = page.at(-1);
          return {
            items: page,
            ...(items.length > limit && last !== undefined ? { next: `${last.dueAt}#${last.id}` } : {}),
          };
        },
        setPendingDueAt: async ({ instanceId, sessionId }, seen, to) => {
          const item = this.due.get(instanceId);
          if (item?.dueAt !== seen || item.pending?.sessionId !== sessionId) return false;
          this.due.set(instanceId, { ...item, dueAt: to });
          return true;
        },
        setDueAt: async (id, seen, to) => {
          const item = this.due.get(id);
          if (item?.dueAt !== seen) return false;
          this.events.push(`push ${id}`);
          this.due.set(id, { ...item, dueAt: to, dueSince: item.dueSince ?? seen });
          return true;
        },
      },
      rescue: {
        list: async ({ limit = 1000, after } = {}) => {
          if (this.bucketFails) throw new Error("the bucket fails");
          const left = this.rescueKeys.filter((key) => after === undefined || key > after);
          const keys = left.slice(0, limit);
          const last = keys.at(-1);
          const writtenAt = new Map(keys.map((key) => [key, this.writtenAt.get(key) ?? this.now]));
          return { keys, writtenAt, ...(left.length > limit && last !== undefined ? { next: last } : {}) };
        },
      },
      queue: {
        send: async (work) =>
          work.map((each) => {
            if (this.refuses(each)) return false;
            this.queued.push(each);
            if (each.kind === "refresh") this.events.push(`send ${each.instanceId}`);
            return true;
          }),
      },
      lock: {
        now: () => this.now,
        read: async () => this.state,
        write: async (state, seen) => {
          if (this.state?.lockedUntil !== seen?.lockedUntil) return false;
          this.state = state;
          return true;
        },
      },
      timing,
      shards,
      remainingMs: () => this.remaining,
    };
  }

  rescued(): string[] {
    return this.queued.flatMap((work) => (work.kind === "rescue" ? work.key : []));
  }

  refreshed(): number[] {
    return this.queued
      .flatMap((work) => (work.kind === "refresh" ? work.instanceId : []))
      .toSorted((a, b) => a - b);
  }
}

/** Counts how many calls run at the same time: each call lasts one turn of the event loop. */
class Together {
  most = 0;
  done = 0;
  #now = 0;

  async watch<T>(work: () => Promise<T>): Promise<T> {
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    await new Promise((resolve) => setImmediate(resolve));
    this.#now -= 1;
    this.done += 1;
    return await work();
  }
}

describe("the sweep", () => {
  let world: Sweeping;
  beforeEach(() => {
    world = new Sweeping();
  });

  test("queues what is due on every shard, with its group, and then moves its due time by 5 min", async () => {
    world.add(10, NOW - 90_000, "box");
    world.add(21, NOW, "drive");
    world.add(32, NOW + 1);
    expect(await sweep(world.deps())).toEqual({
      due: 2,
      queued: 2,
      oldestOverdueMs: 90_000,
      rescueRecords: 0,
    });
    expect(world.queued).toEqual([
      { kind: "refresh", instanceId: 10, cause: "schedule", group: "box" },
      { kind: "refresh", instanceId: 21, cause: "schedule", group: "drive" },
    ]);
    expect(world.events.indexOf("send 10")).toBeLessThan(world.events.indexOf("push 10"));
    expect(world.due.get(10)?.dueAt).toBe(NOW + 300_000);
    expect(world.due.get(32)?.dueAt).toBe(NOW + 1);
  });

  test("reports since when a grant has been due, however often its messages were lost", async () => {
    world.add(10, NOW - 30_000);
    const seen: number[] = [];
    for (let minute = 0; minute <= 60; minute++) {
      const outcome = await sweep(world.deps());
      if (outcome !== undefined && outcome.due > 0) seen.push(outcome.oldestOverdueMs / 60_000);
      world.now += 60_000;
    }
    expect(seen).toEqual([0.5, 5.5, 10.5, 15.5, 20.5, 25.5, 30.5, 35.5, 40.5, 45.5, 50.5, 55.5, 60.5]);
  });

  test("counts a delayed refresh as overdue only from the end of its token", async () => {
    world.due.set(10, { id: 10, dueAt: NOW, dueSince: NOW + 60_000, refreshGroup: "group" });
    expect(await sweep(world.deps())).toMatchObject({ due: 1, oldestOverdueMs: 0 });
  });

  test("queues a pending sign-in with its own kind of message, and pushes its entry, not that of the instance", async () => {
    const pending = { sessionId: "cs_1", epoch: "000000000000002-state" };
    world.due.set(10, { id: 10, dueAt: NOW, refreshGroup: "g", pending });
    await sweep(world.deps());
    expect(world.queued).toContainEqual({ kind: "pending", instanceId: 10, ...pending, group: "g" });
    expect(world.due.get(10)?.dueAt).toBe(NOW + timing.pushMs);
    expect(world.events).not.toContain("push 10");
  });

  test("does not push an item that the queue did not accept", async () => {
    world.add(10, NOW);
    world.add(20, NOW);
    world.refuses = (work) => work.kind === "refresh" && work.instanceId === 10;
    expect(await sweep(world.deps())).toMatchObject({ due: 2, queued: 1 });
    expect(world.due.get(10)?.dueAt).toBe(NOW);
    world.refuses = () => false;
    await sweep(world.deps());
    expect(world.refreshed()).toEqual([10, 20]);
  });

  test("does not change an item that a fast worker has settled already", async () => {
    world.add(10, NOW);
    world.refuses = () => {
      world.due.set(10, { id: 10, dueAt: NOW + HOUR, refreshGroup: "group" });
      return false;
    };
    await sweep(world.deps());
    expect(world.due.get(10)?.dueAt).toBe(NOW + HOUR);
  });

  test("runs one at a time; the lock of a crashed sweep runs out", async () => {
    world.add(10, NOW);
    world.state = { lockedUntil: NOW + 5_000, shards: SHARDS };
    expect(await sweep(world.deps())).toBeUndefined();
    world.now += 5_001;
    expect(await sweep(world.deps())).toMatchObject({ queued: 1 });
    const [one, two] = await Promise.all([sweep(world.deps()), sweep(world.deps())]);
    expect([one, two].filter((each) => each === undefined)).toHaveLength(1);
  });

  test("stops in time and continues there the next time, so that it reaches every shard", async () => {
    for (let shard = 0; shard < SHARDS; shard++) {
      for (let count = 0; count < 250; count++) world.add(1_000 * (count + 1) + shard, NOW - count);
    }
    world.msPerPage = 12_000;
    for (let minute = 0; minute < 4; minute++) {
      world.remaining = 60_000;
      await sweep(world.deps());
      world.now += 1_000;
    }
    expect(world.refreshed()).toHaveLength(750);
    expect(new Set(world.refreshed()).size).toBe(750);
  });

  test("continues behind the items that the queue refuses, however little time there is", async () => {
    for (let count = 0; count < 250; count++) world.add(10 * (count + 1), NOW - count);
    const tried = new Set<number>();
    world.refuses = (work) => work.kind === "refresh" && tried.add(work.instanceId) !== undefined;
    // One page per sweep: without its cursor each sweep would try the oldest hundred again.
    world.msPerPage = 51_000;
    for (let minute = 0; minute < 3; minute++) {
      world.remaining = 60_000;
      await sweep(world.deps(1));
    }
    expect(tried.size).toBe(250);
    expect(world.state).not.toHaveProperty("unfinished");
  });

  test("begins with the shards that the previous sweep had no time for", async () => {
    world.msPerPage = 51_000;
    await sweep(world.deps());
    expect(world.events).toEqual(["query 0"]);
    expect(world.state?.unfinished).toEqual([{ shard: 1 }, { shard: 2 }]);
    world.remaining = 60_000;
    await sweep(world.deps());
    expect(world.events).toEqual(["query 0", "query 1"]);
    world.msPerPage = 0;
    world.remaining = 60_000;
    await sweep(world.deps());
    expect(world.events).toEqual(["query 0", "query 1", "query 2", "query 0", "query 1"]);
  });

  test("reads several shards and pushes many items at the same time, but not more than it has connections", async () => {
    for (let id = 0; id < 2_000; id++) world.add(id, NOW);
    const deps = world.deps(10);
    const queries = new Together();
    const pushes = new Together();
    await sweep({
      ...deps,
      due: {
        due: (...asked) => queries.watch(() => deps.due.due(...asked)),
        setDueAt: (...asked) => pushes.watch(() => deps.due.setDueAt(...asked)),
        setPendingDueAt: (...asked) => pushes.watch(() => deps.due.setPendingDueAt(...asked)),
      },
    });
    expect(world.refreshed()).toEqual(Array.from({ length: 2_000 }, (_, id) => id));
    expect(queries.most).toBe(4);
    expect(pushes.most).toBeGreaterThan(30);
    expect(pushes.most).toBeLessThanOrEqual(48);
  });

  test("sweeps the other shards when one cannot be read, and reports the error after them", async () => {
    for (const id of [10, 21, 32]) world.add(id, NOW);
    const deps = world.deps();
    const pushes = new Together();
    let [queried, unlocked] = [0, 0];
    const failing: SweepDeps = {
      ...deps,
      due: {
        due: async (shard, ...asked) => {
          queried += 1;
          if (shard === 0) throw new Error("the index does not answer");
          return await deps.due.due(shard, ...asked);
        },
        setDueAt: (...asked) => pushes.watch(() => deps.due.setDueAt(...asked)),
        setPendingDueAt: (...asked) => pushes.watch(() => deps.due.setPendingDueAt(...asked)),
      },
      lock: {
        ...deps.lock,
        write: (state, seen) => {
          // While a shard is being swept, no other sweep may begin.
          if (state.lockedUntil === 0) unlocked = pushes.done;
          return deps.lock.write(state, seen);
        },
      },
    };
    await expect(sweep(failing)).rejects.toThrow("the index does not answer");
    expect(queried).toBe(SHARDS);
    expect(world.refreshed()).toEqual([21, 32]);
    expect(unlocked).toBe(2);
    expect(world.state).toEqual({ lockedUntil: 0, shards: SHARDS, rescue: { at: NOW } });
    await sweep(deps);
    expect(world.refreshed()).toEqual([10, 21, 32]);
  });

  test("finds items on shards that are no longer used", async () => {
    await sweep(world.deps(5));
    world.add(14, NOW);
    await sweep(world.deps(2));
    expect(world.refreshed()).toEqual([14]);
  });

  test("queues the records of the rescue bucket, in pages", async () => {
    world.rescueKeys = Array.from({ length: 700 }, (_, index) => `rescue/${1000 + index}/2`);
    expect(await sweep(world.deps())).toMatchObject({ rescueRecords: 500 });
    expect(await sweep(world.deps())).toMatchObject({ rescueRecords: 200 });
    expect(new Set(world.rescued()).size).toBe(700);
  });

  test("reads past records that make no progress, however many there are", async () => {
    const stuck = Array.from({ length: 5_000 }, (_, index) => `rescue/${10_000 + index}/new`);
    for (const key of stuck) world.writtenAt.set(key, NOW - 2 * 24 * HOUR);
    world.rescueKeys = stuck;
    // The first round has no time of an earlier round.
    for (let minute = 0; minute < 11; minute++) {
      await sweep(world.deps());
      world.now += 60_000;
    }
    const real = Array.from({ length: 30 }, (_, index) => `rescue/${20_000 + index}/2`);
    for (const key of real) world.writtenAt.set(key, world.now - 1_000);
    world.rescueKeys = [...stuck, ...real];
    world.queued.length = 0;
    await sweep(world.deps());
    expect(world.rescued()).toEqual(expect.arrayContaining(real));
    expect(world.queued.filter(({ group }) => group === "rescue")).toHaveLength(real.length);
    expect(world.rescued().length).toBeLessThan(500);
  });

  test("tries a record every minute while it is young, and less often later", async () => {
    const key = "rescue/1/2";
    world.rescueKeys = [key];
    world.writtenAt.set(key, NOW - 1);
    const tries: number[] = [];
    for (let minute = 0; minute < 7 * 24 * 60; minute++) {
      world.queued.length = 0;
      await sweep(world.deps());
      if (world.rescued().length > 0) tries.push(minute);
      world.now += 60_000;
    }
    expect(tries.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const distances = tries.map((minute, index) => minute - (tries[index - 1] ?? 0));
    expect(Math.max(...distances)).toBe(30);
    const distanceAfter = (hours: number) =>
      distances[tries.findIndex((minute) => minute >= hours * 60)] ?? 0;
    expect(distanceAfter(1)).toBeLessThanOrEqual(6);
    expect(distanceAfter(3)).toBeLessThanOrEqual(16);
    expect(tries.length).toBeLessThan(450);
  });

  test("tries a record that was due while a sweep failed or was late", async () => {
    world.rescueKeys = ["rescue/1/2"];
    world.writtenAt.set("rescue/1/2", NOW - 5 * HOUR);
    await sweep(world.deps());
    world.queued.length = 0;
    // Two hours without a sweep; then a sweep that finds the bucket failing.
    world.now += 2 * HOUR;
    world.bucketFails = true;
    await expect(sweep(world.deps())).rejects.toThrow("the bucket fails");
    world.bucketFails = false;
    world.now += 60_000;
    await sweep(world.deps());
    expect(world.rescued()).toEqual(["rescue/1/2"]);
  });

  test("queues every record, whatever an older version left in the lock", async () => {
    world.rescueKeys = ["rescue/1/2", "rescue/2/2"];
    for (const key of world.rescueKeys) world.writtenAt.set(key, NOW - 24 * HOUR);
    world.state = { lockedUntil: 0, shards: SHARDS, rescueAfter: "rescue/1/2" } as SweepState;
    await sweep(world.deps());
    expect(world.rescued()).toEqual(world.rescueKeys);
  });

  test("queues what is due when the bucket does not answer, and reports the error", async () => {
    world.bucketFails = true;
    world.add(10, NOW);
    await expect(sweep(world.deps())).rejects.toThrow("the bucket fails");
    expect(world.refreshed()).toEqual([10]);
    expect(world.state?.lockedUntil).toBe(0);
  });

  test("with nothing due costs one query per shard", async () => {
    await sweep(world.deps());
    expect(world.events).toEqual(["query 0", "query 1", "query 2"]);
  });
});

describe("a rescue record", () => {
  test("is the same when it is written as JSON and read again, with every byte", () => {
    const world = new CalmWorld();
    const instance = world.put({}, { sealedConfiguration: Buffer.from([0, 255, 7]) });
    const text = writeRecord({ kind: "new", instance });
    const back = readRecord(text);
    expect(back).toEqual({
      kind: "new",
      instance: { ...instance, sealedConfiguration: new Uint8Array([0, 255, 7]) },
    });
    expect(rescueKey(back)).toBe("rescue/42/new");
  });
});

describe("an instance token", () => {
  test("contains its instance's id, and can be checked only by its hash", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (id) => {
        const { token, hash } = newInstanceToken(id);
        expect(readInstanceToken(token)).toEqual({ instanceId: id, hash });
        expect(token).not.toContain(hash);
      }),
      { seed: 8 },
    );
    expect(newInstanceId()).toBeLessThan(2 ** 53);
  });

  test("that is malformed is refused", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(readInstanceToken(`lsi_${text}`)).toBeUndefined();
      }),
      { seed: 8 },
    );
    const { token } = newInstanceToken(42);
    for (const garbled of [`${token}x`, token.slice(1), token.replace(".", ":"), token.toUpperCase(), ""]) {
      expect(readInstanceToken(garbled)).toBeUndefined();
    }
  });
});
