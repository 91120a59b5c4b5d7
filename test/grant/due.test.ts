import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dueTimeOf, expiryOf, isAlmostOver, isDue, isValid } from "../../functions/core/grant/store/due.ts";
import { backOff, earliestNow, latestNow, leaseIsHeld, timing } from "../../functions/core/grant/timing.ts";
import type { Grant } from "../../functions/core/instances/instance.ts";
import { DAY, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";

const deps = (random = 0.5) => ({ timing, random: () => random, activeWindowMs: 7 * DAY });
const used = { createdAt: 0, lastUsedAt: 1_000_000 };
const grant = (lifetimeMs: number): Grant => ({
  accessToken: "a",
  tokenType: "bearer",
  refreshToken: "r",
  obtainedAt: 1_000_000,
  expiresAt: 1_000_000 + lifetimeMs,
  obtainedBy: "refresh",
  client: { kind: "own", id: "i", secret: "s" },
});

describe("a used grant", () => {
  test("comes due at 75 % of its life, 5 % earlier or later at random", () => {
    const times = [0, 0.25, 0.5, 0.75, 0.999].map((random) =>
      dueTimeOf(deps(random), connector, grant(HOUR), used, 1_000_000),
    ) as number[];
    for (const time of times) {
      expect(time).toBeGreaterThanOrEqual(1_000_000 + 0.7 * HOUR);
      expect(time).toBeLessThanOrEqual(1_000_000 + 0.8 * HOUR);
    }
    expect(new Set(times).size).toBe(5);
  });

  test("is due for the worker at every due time that the jitter can give", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: timing.shortestScheduledMs, max: 400 * DAY }),
        (random, lifetime) => {
          const at = dueTimeOf(deps(random), connector, grant(lifetime), used, 1_000_000) as number;
          const now = { createdAt: 0, lastUsedAt: at };
          expect(isDue(deps(), connector, grant(lifetime), now, at)).toBe(true);
        },
      ),
      { seed: 8 },
    );
  });

  test("is never on the due index when its tokens live less than 5 min or for an unknown time, or without a refresh token", () => {
    expect(dueTimeOf(deps(), connector, grant(299_000), used, 1_000_000)).toBeUndefined();
    const { expiresAt, ...unknown } = grant(HOUR);
    expect(dueTimeOf(deps(), connector, unknown, used, 1_000_000)).toBeUndefined();
    const { refreshToken, ...single } = grant(HOUR);
    expect(dueTimeOf(deps(), connector, single, used, 1_000_000)).toBeUndefined();
  });
});

describe("an expiry", () => {
  test.each([
    [5_000, 4_900],
    [60_000, 58_800],
    [HOUR, HOUR - 10_000],
    [DAY, DAY - 10_000],
  ])("of %i ms is stored as %i ms", (expiresInMs, taken) => {
    expect(expiryOf(connector, { expiresInMs }, 0, timing)).toEqual({ expiresAt: taken });
  });

  test("that the vendor does not send is the connector's default, or unknown", () => {
    const told = { ...connector, oauth2: { ...connector.oauth2, accessToken: { defaultLifetimeMs: HOUR } } };
    expect(expiryOf(told, {}, 0, timing)).toEqual({ expiresAt: HOUR - 10_000, guessedExpiry: true });
    expect(expiryOf(connector, {}, 0, timing)).toEqual({});
  });

  test("is near when less than a minute, or a tenth of a short life, is left", () => {
    expect(isAlmostOver(grant(HOUR), 1_000_000 + HOUR - 60_001, timing)).toBe(false);
    expect(isAlmostOver(grant(HOUR), 1_000_000 + HOUR - 60_000, timing)).toBe(true);
    expect(isAlmostOver(grant(5_000), 1_000_000 + 4_499, timing)).toBe(false);
    expect(isAlmostOver(grant(5_000), 1_000_000 + 4_500, timing)).toBe(true);
    expect(isValid(grant(5_000), 1_004_999)).toBe(true);
    expect(isValid(grant(5_000), 1_005_000)).toBe(false);
  });
});

describe("the store's time", () => {
  test("lies between our earliest and our latest estimate", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e12 }),
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: 0, max: 5_000 }),
        fc.integer({ min: 0, max: 200_000 }),
        (stampedAt, uptime, roundTrip, passed) => {
          // The read starts at `uptime`; the store sets its Date header at some time within the round trip.
          const reading = { dateMs: Math.floor(stampedAt / 1000) * 1000, monotonicMs: uptime };
          const [answered, now] = [uptime + roundTrip, uptime + roundTrip + passed];
          for (const stampedAfter of [0, roundTrip]) {
            const trueNow = stampedAt + (now - (uptime + stampedAfter));
            expect(earliestNow(reading, answered, now)).toBeLessThanOrEqual(trueNow);
            expect(latestNow(reading, now)).toBeGreaterThanOrEqual(trueNow);
          }
        },
      ),
      { seed: 8 },
    );
  });

  test("keeps a lease held for as long as its holder may act", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1e9, max: 1e12 }),
        fc.integer({ min: 0, max: 5_000 }),
        fc.integer({ min: 0, max: 5_000 }),
        (asked, roundTrip, later) => {
          const second = (time: number): number => Math.floor(time / 1000) * 1000;
          const until = second(asked + roundTrip) + timing.leaseMs;
          const end = asked + timing.preSendMs + timing.exchangeMs + timing.storeMs;
          // Another process reads at any time before the holder's end.
          const reading = { dateMs: second(Math.max(asked, end - later)), monotonicMs: 0 };
          expect(leaseIsHeld({ until }, reading)).toBe(true);
        },
      ),
      { seed: 8 },
    );
    expect(timing.leaseMs).toBe(timing.preSendMs + timing.exchangeMs + timing.storeMs);
    expect(timing.functionTimeMs).toBeGreaterThanOrEqual(timing.leaseMs);
  });

  test("a back-off stays below its limit, with a quarter of jitter", () => {
    expect(backOff(1000, 60_000, 1, 0)).toBe(1000);
    expect(backOff(1000, 60_000, 4, 0)).toBe(8000);
    expect(backOff(1000, 60_000, 99, 0.999)).toBeLessThanOrEqual(75_000);
  });
});
