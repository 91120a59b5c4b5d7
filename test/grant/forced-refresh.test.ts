import { beforeEach, describe, expect, test } from "vitest";
import type { GrantDeps } from "../../functions/core/grant/grant-deps.ts";
import { forceRefresh, tokenAfterUnauthorized } from "../../functions/core/grant/refresh/access-token.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { signInAgain } from "../../functions/core/grant/sign-in/sign-in.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { CalmWorld, DAY, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";

const MINUTE = 60_000;
let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
  let tokens = 0;
  world.answer = () => granted(`token-${++tokens}`);
});

/** The dependencies of another process: only the store and the vendor are shared. */
const ofAnotherProcess = (): GrantDeps => ({ ...world.deps });
const force = (asker?: "owner" | "token", deps: GrantDeps = world.deps) =>
  world.finish(forceRefresh(deps, 42, world.call, asker));
const outcomeOf = (asker?: "owner" | "token", deps?: GrantDeps): Promise<string> =>
  force(asker, deps).then(
    () => "refreshed",
    (error) => `${error.status} ${error.code} ${error.headers["Retry-After"]}`,
  );
const refused = (more: Partial<Extract<TokenOutcome, { kind: "refused" }>> = {}): TokenOutcome => ({
  kind: "refused",
  status: 400,
  error: "invalid_request",
  ...more,
});

describe("a refresh that an app asks for", () => {
  test("is one request at the vendor, however often it is asked for within a minute", async () => {
    world.put({ obtainedBy: "exchange" });
    expect(await outcomeOf("owner")).toBe("refreshed");
    for (let times = 0; times < 24; times++) {
      expect(await outcomeOf(times % 2 ? "owner" : "token")).toMatch(/^429 refresh_too_soon \d+$/);
    }
    expect(world.sent).toHaveLength(1);
    await world.pass(MINUTE);
    expect(await outcomeOf("token")).toBe("refreshed");
    expect(world.sent).toHaveLength(2);
  });

  test("is one request at the vendor when twenty-five processes ask at the same time", async () => {
    world.put();
    const answers = await Promise.all(
      Array.from({ length: 25 }, () => outcomeOf("token", ofAnotherProcess())),
    );
    expect(world.sent).toHaveLength(1);
    for (const answer of answers) expect(answer).toMatch(/^refreshed$|^429 refresh_too_soon/);
    expect(answers).toContain("refreshed");
  });

  test.each<[string, TokenOutcome]>([
    ["a refusal", refused()],
    ["a refused client", { kind: "client_refused", status: 401, error: "invalid_client" }],
    ["no connection", { kind: "never_sent", reason: "no route" }],
  ])("counts for the minute whatever its result: %s", async (_, outcome) => {
    world.put();
    world.answer = () => outcome;
    expect(await outcomeOf("owner")).toMatch(/^503 /);
    world.answer = () => granted("late");
    await world.pass(30_000);
    const [, code, seconds] = (await outcomeOf("owner")).split(" ");
    expect(code).toBe("refresh_too_soon");
    expect(Number(seconds)).toBeGreaterThan(20);
    expect(Number(seconds)).toBeLessThanOrEqual(30);
    expect(world.sent).toHaveLength(1);
    await world.pass(31_000);
    expect(await outcomeOf("token")).toBe("refreshed");
  });

  test("waits as long as the vendor asks, unless the instance's owner forces it", async () => {
    world.put();
    world.answer = () => refused({ status: 429, error: "slow_down", retryAfterMs: 20 * MINUTE });
    expect(await outcomeOf("token")).toMatch(/^503 /);
    world.answer = () => granted("new");
    await world.pass(5 * MINUTE);
    const [status, code, seconds] = (await outcomeOf("token")).split(" ");
    expect([status, code]).toEqual(["429", "vendor_rate_limited"]);
    expect(Number(seconds)).toBeGreaterThan(14 * 60);
    expect(world.sent).toHaveLength(1);
    expect(await outcomeOf("owner")).toBe("refreshed");
    expect(world.stored()).not.toHaveProperty("askedUntil");
  });

  test("does not wait for our own back-off", async () => {
    world.put();
    world.answer = () => refused();
    for (let tries = 0; tries < 6; tries++) {
      await world.finish(refreshDue(world.deps, { instanceId: 42, cause: "just_in_time" }, world.call));
      world.items.set(42, { ...world.stored(), attempts: 20, retryAt: world.now + 10 * MINUTE });
    }
    world.answer = () => granted("new");
    expect(await outcomeOf("token")).toBe("refreshed");
  });

  test("waits an hour at most, however long the vendor asks for", async () => {
    world.put();
    world.answer = () => refused({ status: 429, error: "slow_down", retryAfterMs: 365 * DAY });
    await outcomeOf("token");
    expect(world.stored().askedUntil).toBeLessThanOrEqual(world.now + HOUR + 10_000);
    world.answer = () => granted("new");
    await world.pass(HOUR + 10_000);
    expect(await outcomeOf("token")).toBe("refreshed");
  });

  test("does not wait for a Retry-After of a day that an earlier version stored", async () => {
    world.put({}, { retryAt: world.now + DAY, askedUntil: world.now + DAY, dueAt: world.now });
    world.answer = () => granted("new");
    expect(await outcomeOf("token")).toBe("refreshed");
  });

  test("is counted by the worker too, when too little time is left in the function", async () => {
    world.put();
    const work = () => world.finish(refreshDue(world.deps, { instanceId: 42, cause: "forced" }, world.call));
    world.answer = () => refused();
    await work();
    await world.pass(30_000);
    world.answer = () => granted("new");
    await work();
    expect(world.sent).toHaveLength(1);
    await world.pass(31_000);
    await work();
    expect(world.sent).toHaveLength(2);
  });
});

describe("a refresh that a vendor's 401 forces", () => {
  const after401 = (deps: GrantDeps = world.deps) =>
    world.finish(tokenAfterUnauthorized(deps, 42, world.stored().version, world.call));

  test("happens at most once a minute also when it fails, and shares that minute with the app's own", async () => {
    world.put({ obtainedBy: "exchange", obtainedAt: world.now });
    world.answer = () => refused();
    expect(await after401()).toBeUndefined();
    await world.pass(20_000);
    world.answer = () => granted("new");
    expect(await after401(ofAnotherProcess())).toBeUndefined();
    expect(await outcomeOf("owner")).toMatch(/^429 refresh_too_soon/);
    expect(world.sent).toHaveLength(1);
    await world.pass(MINUTE);
    expect((await after401())?.value).toBe("new");
  });

  test("happens at once after a sign-in, also when the old grant was refreshed a moment ago", async () => {
    world.put({}, { epoch: "000000000000001-first" });
    expect((await force()).value).toBe("token-1");
    world.exchange = () => granted("signed-in");
    await world.finish(
      signInAgain(
        world.deps,
        world.transients,
        {
          instanceId: 42,
          organizationId: "org",
          userId: "user",
          connector,
          client: { kind: "own", id: "client", secret: "secret" },
          code: "code",
          redirectUri: "https://app.example/cb",
          configuration: {},
        },
        world.call,
      ),
    );
    expect(world.stored()).not.toHaveProperty("forcedAt");
    expect((await after401())?.value).toBe("token-2");
  });
});
