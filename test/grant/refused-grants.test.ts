import { beforeEach, describe, expect, test } from "vitest";
import { refusedGrants } from "../../functions/core/grant/refresh/refused-grants.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { CalmWorld, DAY, granted, HOUR } from "./calm-world.ts";

type Refused = Extract<TokenOutcome, { kind: "refused" }>;

let world: CalmWorld;
let deps: CalmWorld["deps"];
let held: { refused: number; grants: number }[];
/** The number of grants that the connector has. */
let grants: number;
beforeEach(() => {
  world = new CalmWorld();
  held = [];
  grants = 100;
  deps = {
    ...world.deps,
    refused: refusedGrants({
      transients: world.transients,
      timing,
      count: async () => grants,
      held: (_, told) => void held.push(told),
    }),
  };
});

const refusal = (more: Partial<Refused> = {}): Refused => ({
  kind: "refused",
  status: 400,
  error: "app_not_authorized",
  description: "the user removed this app",
  ...more,
});

/** Puts a grant whose token runs out in `leftMs`, and that is due now. */
const put = (id = 42, leftMs = 0) =>
  world.put(
    // JSON has no undefined: a token without an end is sealed without one.
    {
      obtainedAt: world.now - HOUR,
      expiresAt: leftMs === Number.POSITIVE_INFINITY ? (undefined as never) : world.now + leftMs,
    },
    { id, dueAt: world.now, name: `grant ${id}` },
  );

/** Lets time pass; the worker visits each instance whenever it is due. */
async function pass(ms: number, answer: () => TokenOutcome): Promise<void> {
  world.answer = answer;
  const end = world.now + ms;
  while (world.now < end) {
    const next = Math.min(
      end,
      ...[...world.items.values()].map(({ dueAt }) => dueAt ?? Number.POSITIVE_INFINITY),
    );
    await world.pass(Math.max(next - world.now, 0) + 1_000);
    for (const { id, dueAt, deadVersion } of [...world.items.values()]) {
      if (deadVersion === undefined && dueAt !== undefined && dueAt <= world.now)
        await world.finish(refreshDue(deps, { instanceId: id, cause: "schedule" }, world.call));
    }
  }
}
const isDead = (id = 42) => world.stored(id).deadVersion !== undefined;

describe("a grant that its vendor refuses with an error code of its own", () => {
  test("needs a new sign-in after a week of refusals, with the vendor's words", async () => {
    put();
    await pass(6.9 * DAY, () => refusal());
    expect(isDead()).toBe(false);
    expect(world.stored().refusals?.count).toBeGreaterThanOrEqual(10);
    await pass(0.3 * DAY, () => refusal());
    expect(world.stored()).toMatchObject({
      deadVersion: 1,
      lastError: "refused",
      death: { reason: "refused" },
      lastFailure: { error: "app_not_authorized", description: "the user removed this app" },
    });
    expect(world.announced.at(-1)).toMatchObject({
      name: "instance.needs_reauth",
      reason: "refused",
      error: "app_not_authorized",
    });
    expect(held).toEqual([]);
  });

  test("can be tried again, and is revived when the vendor accepts it", async () => {
    put();
    await pass(7.2 * DAY, () => refusal());
    expect(isDead()).toBe(true);
    world.answer = () => granted("again");
    await world.finish(refreshDue(deps, { instanceId: 42, cause: "revive" }, world.call));
    expect(world.stored().plain.accessToken).toBe("again");
    expect(world.stored()).not.toHaveProperty("refusals");
  });

  test.each<[string, TokenOutcome]>([
    ["a refused client", { kind: "client_refused", status: 401, error: "invalid_client" }],
    ["401", refusal({ status: 401 })],
    ["403 without an error body", refusal({ status: 403, error: "http_403" })],
    ["404 without an error body", refusal({ status: 404, error: "http_404" })],
    ["408", refusal({ status: 408 })],
    ["425", refusal({ status: 425 })],
    ["429", refusal({ status: 429 })],
    ["503", refusal({ status: 503, retryAfterMs: 1_000 })],
    ["a temporary error", refusal({ error: "temporarily_unavailable" })],
    ["an error of our request", refusal({ error: "unsupported_grant_type" })],
  ])("is never given up for %s", async (_, outcome) => {
    put();
    await pass(9 * DAY, () => outcome);
    expect(isDead()).toBe(false);
    expect(world.stored()).not.toHaveProperty("refusals");
  });

  test.each([
    ["403 with an error body", refusal({ status: 403 })],
    ["404 with an error body", refusal({ status: 404 })],
  ])("is given up for %s", async (_, outcome) => {
    put();
    await pass(7.2 * DAY, () => outcome);
    expect(isDead()).toBe(true);
  });

  test("is not counted while its access token is valid", async () => {
    put(42, 5 * DAY);
    await pass(4.9 * DAY, () => refusal());
    expect(world.stored()).not.toHaveProperty("refusals");
    await pass(6.9 * DAY, () => refusal());
    expect(isDead()).toBe(false);
    await pass(DAY, () => refusal());
    expect(isDead()).toBe(true);
  });

  test("whose token has no known end is counted from the first 401 of the vendor's API", async () => {
    put(42, Number.POSITIVE_INFINITY);
    world.answer = () => refusal();
    const tryNow = (cause: "just_in_time" | "forced" | "unauthorized" = "forced") =>
      world.finish(refreshDue(deps, { instanceId: 42, cause }, world.call));
    await tryNow();
    expect(world.stored()).not.toHaveProperty("refusals");
    await world.pass(HOUR);
    await tryNow("unauthorized");
    expect(world.stored().refusals?.count).toBe(1);
    await pass(7.2 * DAY, () => refusal());
    expect(isDead()).toBe(true);
  });

  test("is counted from zero after a refresh in between", async () => {
    put();
    await pass(6.5 * DAY, () => refusal());
    await pass(0.1 * DAY, () => granted("new"));
    await pass(2 * DAY, () => refusal());
    expect(isDead()).toBe(false);
  });

  test("needs ten tries at different times: a hundred within an hour and one a week later count as two", async () => {
    put();
    world.answer = () => refusal();
    const tryNow = () =>
      world.finish(refreshDue(deps, { instanceId: 42, cause: "just_in_time" }, world.call));
    for (let tries = 0; tries < 100; tries++) {
      world.items.set(42, { ...world.stored(), retryAt: 0 });
      await tryNow();
    }
    await world.pass(8 * DAY);
    await tryNow();
    expect(world.stored().refusals?.count).toBe(2);
    expect(isDead()).toBe(false);
  });

  test("is given up only by the worker", async () => {
    put();
    deps = { ...world.deps };
    await pass(9 * DAY, () => refusal());
    expect(isDead()).toBe(false);
  });
});

describe("a vendor that refuses many grants at once", () => {
  const many = Array.from({ length: 10 }, (_, index) => index + 1);

  test("loses none when more than a fifth would be given up in a day, and an operator is told", async () => {
    grants = 10;
    for (const id of many.slice(0, 3)) put(id);
    await pass(9 * DAY, () => refusal());
    expect(many.slice(0, 3).filter(isDead)).toEqual([]);
    expect(held.length).toBeGreaterThan(0);
    expect(held[0]).toEqual({ refused: 3, grants: 10 });
    expect(world.announced.filter(({ name }) => name === "instance.needs_reauth")).toEqual([]);
  });

  test("loses them when they are a fifth or less", async () => {
    grants = 15;
    for (const id of many.slice(0, 3)) put(id);
    await pass(7.5 * DAY, () => refusal());
    expect(many.slice(0, 3).filter(isDead)).toEqual([1, 2, 3]);
    expect(held).toEqual([]);
  });

  test("is judged by day: the same number, but one a day, is given up", async () => {
    grants = 10;
    for (const id of many.slice(0, 3)) {
      put(id);
      await pass(2.2 * DAY, () => refusal());
    }
    await pass(7.5 * DAY, () => refusal());
    expect(many.slice(0, 3).filter(isDead)).toEqual([1, 2, 3]);
  });

  test("loses the rest when most of the grants work again", async () => {
    grants = 10;
    for (const id of many.slice(0, 4)) put(id);
    await pass(9 * DAY, () => refusal());
    expect(held.length).toBeGreaterThan(0);
    const works = new Set([1, 2, 3]);
    for (const id of works) world.items.delete(id);
    await pass(8 * DAY, () => refusal());
    expect(isDead(4)).toBe(true);
  });

  test("loses none while the grants cannot be counted", async () => {
    put(1);
    put(2);
    deps = {
      ...deps,
      refused: refusedGrants({
        transients: world.transients,
        timing,
        count: () => Promise.reject(new Error("the index does not answer")),
        held: () => {},
      }),
    };
    await pass(9 * DAY, () => refusal());
    expect([1, 2].filter(isDead)).toEqual([]);
  });

  test("loses none when a thousand are refused, however many grants there are", async () => {
    grants = 1_000_000;
    const { refused } = deps;
    for (let id = 1; id <= 1_200; id++) await refused?.notice("vendor", id, world.now);
    expect(await refused?.mayEnd("vendor", 7, world.now, world.now)).toBe(false);
    expect(await refused?.mayEnd("vendor", 1_199, world.now, world.now)).toBe(false);
    expect(held).toHaveLength(2);
  });
});
