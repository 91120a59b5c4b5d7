import { beforeEach, describe, expect, it } from "vitest";
import { reviveEach, wasTriedLately } from "../../bin/admin/revive.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { CalmWorld, DAY, granted, HOUR } from "../grant/calm-world.ts";

const DEAD: TokenOutcome = { kind: "invalid_grant", error: "invalid_grant" };
let world: CalmWorld;
/** The time of each token request, and the instance that the request was for. */
let requests: { at: number; id: number }[];
/** Instances whose refresh token the vendor accepts. */
let living: Set<number>;
beforeEach(() => {
  world = new CalmWorld();
  requests = [];
  living = new Set();
  world.answer = (refreshToken) => {
    const id = Number(refreshToken.slice("r-".length));
    requests.push({ at: world.now, id });
    return living.has(id) ? granted(`again-${id}`) : DEAD;
  };
});

function dead(id: number, refreshGroup = "client"): Instance {
  const grant = { refreshToken: `r-${id}`, obtainedAt: world.now - HOUR, expiresAt: world.now };
  const death = { version: 1, at: world.now - HOUR, reason: "invalid_grant" };
  return world.put(grant, { id, refreshGroup, deadVersion: 1, lastError: "invalid_grant", death });
}

/** The command, with workers that process each message at once. */
const revive = (instances: readonly Instance[]) =>
  world.finish(
    reviveEach(
      {
        instances: world.deps.instances,
        async revive({ id, version }) {
          await refreshDue(world.deps, { instanceId: id, cause: "revive", version }, world.call);
        },
        sleep: (ms) => world.deps.sleep(ms),
      },
      instances,
    ),
  );

describe("reviving many dead grants", () => {
  it("sends one request a second for each client, and handles several clients at the same time", async () => {
    const instances = [1, 2, 3, 4].map((id) => dead(id, id % 2 ? "odd" : "even"));
    living = new Set([1, 2, 3, 4]);
    const { tried, stopped } = await revive(instances);
    expect(tried).toEqual({ revived: 4, still_dead: 0, no_answer: 0, passed_over: 0 });
    expect(stopped).toEqual([]);
    for (const ids of [
      [1, 3],
      [2, 4],
    ]) {
      const [first = 0, second = 0] = requests.filter(({ id }) => ids.includes(id)).map(({ at }) => at);
      expect(second - first).toBeGreaterThanOrEqual(1_000);
      expect(second - first).toBeLessThan(3_000);
    }
    for (const { id } of instances) expect(world.stored(id).plain.accessToken).toBe(`again-${id}`);
  });

  it("stops for a client after twenty refusals in a row, and continues for the others", async () => {
    const refused = Array.from({ length: 30 }, (_, index) => dead(index + 1, "refused"));
    const others = Array.from({ length: 25 }, (_, index) => dead(index + 100, "other"));
    // A success in between starts the count again.
    living = new Set([5, ...others.map(({ id }) => id)]);
    const { tried, stopped, left } = await revive([...refused, ...others]);
    expect(tried).toEqual({ revived: 26, still_dead: 24, no_answer: 0, passed_over: 0 });
    expect([stopped, left]).toEqual([["refused"], 5]);
    expect(requests.filter(({ id }) => id <= 30)).toHaveLength(25);
  });

  it("skips grants that are valid by now, without a second's wait", async () => {
    const [one, two] = [dead(1), dead(2)];
    world.put({}, { id: 1, version: 1 });
    const before = world.now;
    const { tried } = await revive([one]);
    expect(tried.passed_over).toBe(1);
    expect(world.now - before).toBeLessThan(1_000);
    expect(requests).toEqual([]);
    expect(two.deadVersion).toBe(1);
  });

  it("distinguishes a refusal of the grant from an answer that says nothing about the grant", async () => {
    const instances = [dead(1), dead(2), dead(3)];
    world.answer = (refreshToken) => {
      if (refreshToken === "r-1") return DEAD;
      return refreshToken === "r-2"
        ? { kind: "refused", status: 429, error: "slow_down", retryAfterMs: HOUR }
        : { kind: "never_sent", reason: "no route" };
    };
    const { tried } = await revive(instances);
    expect(tried).toEqual({ revived: 0, still_dead: 1, no_answer: 2, passed_over: 0 });
  });

  it("continues after the grants that an interrupted run has tried", async () => {
    const instances = [dead(1), dead(2)];
    const [first] = instances;
    await revive(first === undefined ? [] : [first]);
    const later = instances.map(({ id }) => world.stored(id));
    expect(later.map((each) => wasTriedLately(each, world.now))).toEqual([true, false]);
    await world.pass(DAY);
    expect(later.map((each) => wasTriedLately(each, world.now))).toEqual([false, false]);
  });

  it("does not count the refresh by which the grant died as a try", () => {
    const died = { ...dead(1), forcedAt: world.now - HOUR };
    expect(
      wasTriedLately(
        { ...died, death: { version: 1, at: died.forcedAt, reason: "invalid_grant" } },
        world.now,
      ),
    ).toBe(false);
  });
});
