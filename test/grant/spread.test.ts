import { expect, test } from "vitest";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { dueTimeOf } from "../../functions/core/grant/store/due.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import { CalmWorld, DAY, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";

const MINUTE = 60_000;

/** Pseudo-random numbers in [0, 1), the same in each run (mulberry32, public domain). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The largest share of all times that fall into one minute. */
function fullestMinute(times: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const time of times) {
    const minute = Math.floor(time / MINUTE);
    counts.set(minute, (counts.get(minute) ?? 0) + 1);
  }
  return Math.max(...counts.values()) / times.length;
}

test("thousands of accounts connected in one minute come due in different minutes, more so with each refresh", () => {
  const random = randomNumbers(1);
  const deps = { timing, random, activeWindowMs: 7 * DAY };
  let obtained = Array.from({ length: 5_000 }, () => random() * MINUTE);
  const fullest: number[] = [];
  for (let round = 0; round < 12; round++) {
    obtained = obtained.map((obtainedAt) => {
      const grant = {
        accessToken: "a",
        tokenType: "bearer",
        refreshToken: "r",
        obtainedAt,
        expiresAt: obtainedAt + HOUR,
        obtainedBy: "import" as const,
        client: { kind: "own" as const, id: "i", secret: "s" },
      };
      return dueTimeOf(deps, connector, grant, { createdAt: obtainedAt }, obtainedAt) as number;
    });
    fullest.push(fullestMinute(obtained));
  }
  // A tenth of the lifetime is 6 minutes.
  expect(fullest[0]).toBeLessThan(0.2);
  expect(fullest.at(-1)).toBeLessThan(0.08);
});

test.each([
  ["an hour", HOUR, 0.15],
  ["ten minutes", 10 * MINUTE, 0.35],
])(
  "grants that came due together are refreshed at different times after an outage of %s",
  async (_, outageMs, share) => {
    const world = new CalmWorld();
    world.connector = { ...connector, oauth2: { ...connector.oauth2, refreshToken: { rotates: false } } };
    const deps = { ...world.deps, random: randomNumbers(2) };
    const start = world.now;
    const ids = Array.from({ length: 400 }, (_, index) => index + 1);
    for (const id of ids) {
      world.put({ obtainedAt: start - 3 * HOUR, expiresAt: start + HOUR }, { id, dueAt: start });
    }
    const back: number[] = [];
    world.answer = () =>
      world.now < start + outageMs ? { kind: "unknown", reason: "status 500" } : granted("new");

    // Each is refreshed at its own due time, in whole minutes as the sweep runs, so that the schedule's own bunching is
    // included.
    const waiting = new Set(ids);
    for (let minute = 0; waiting.size > 0 && minute < 240; minute++) {
      for (const id of waiting) {
        world.now = start + minute * MINUTE;
        if ((world.stored(id).dueAt ?? 0) > world.now) continue;
        await refreshDue(deps, { instanceId: id, cause: "schedule" }, world.call);
        if (world.stored(id).lastRefreshedAt === undefined) continue;
        back.push(world.now);
        waiting.delete(id);
      }
    }
    expect(waiting.size).toBe(0);
    expect(fullestMinute(back)).toBeLessThan(share);
    // None waits longer than the longest back-off and the schedule's minute.
    expect(Math.max(...back)).toBeLessThanOrEqual(start + outageMs + 2 * timing.dueRetryMaxMs + MINUTE);
  },
);
