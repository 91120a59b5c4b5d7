import { beforeEach, describe, expect, test } from "vitest";
import { setEnabled } from "../../functions/core/grant/enable.ts";
import { currentAccessToken, forceRefresh } from "../../functions/core/grant/refresh/access-token.ts";
import { finishDeletion, markForDeletion } from "../../functions/core/grant/revocation/delete-instance.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { CalmWorld, DAY, granted, HOUR } from "./calm-world.ts";

const DEAD: TokenOutcome = {
  kind: "invalid_grant",
  error: "invalid_grant",
  description: "Token has been expired or revoked.",
};
let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

const work = (cause: "schedule" | "revive" = "schedule") =>
  world.finish(refreshDue(world.deps, { instanceId: 42, cause }, world.call));

async function die(outcome: TokenOutcome = DEAD): Promise<Instance> {
  world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now }, { dueAt: world.now });
  world.answer = () => outcome;
  await work();
  expect(world.stored().deadVersion).toBe(1);
  world.sent.length = 0;
  world.announced.length = 0;
  return world.stored();
}

/** Lets time pass; only the worker visits the instance, whenever it is due. */
async function passDue(ms: number): Promise<void> {
  const end = world.now + ms;
  for (;;) {
    const { dueAt = Number.POSITIVE_INFINITY } = world.stored();
    if (dueAt > end) break;
    await world.pass(Math.max(dueAt - world.now, 0) + 1_000);
    await work();
  }
  await world.pass(end - world.now);
}

describe("a dead grant", () => {
  test("keeps its tokens for 30 days, then they are deleted, and the instance still gives the same reason", async () => {
    const dead = await die();
    await passDue(29 * DAY);
    expect(world.stored().plain.refreshToken).toBe("r-old");
    await passDue(2 * DAY);
    const { plain, dueAt, death, ...rest } = world.stored();
    expect(plain).toEqual({
      accessToken: "",
      tokenType: "bearer",
      obtainedAt: expect.any(Number),
      obtainedBy: "refresh",
      client: { kind: "own", id: "client", secret: "secret" },
    });
    expect(dueAt).toBeUndefined();
    expect(death).toEqual({ ...dead.death, emptied: true });
    expect(rest).toMatchObject({
      deadVersion: 1,
      lastError: "invalid_grant",
      lastFailure: { error: "invalid_grant", description: "Token has been expired or revoked." },
    });
    const read = await world.read();
    await expect(currentAccessToken(world.deps, read, world.call)).rejects.toMatchObject({
      code: "needs_reauthentication",
    });
    expect(world.sent).toEqual([]);
  });

  test("loses its tokens in time also when the instance is disabled and enabled meanwhile", async () => {
    const { dueAt } = await die();
    await setEnabled(world.deps, 42, false, world.call);
    await work();
    await setEnabled(world.deps, 42, true, world.call);
    await work();
    expect(world.stored().dueAt).toBe(dueAt);
    await setEnabled(world.deps, 42, false, world.call);
    await passDue(31 * DAY);
    expect(world.stored().plain.accessToken).toBe("");
  });

  test("keeps its tokens when an earlier version marked it dead without a time", async () => {
    world.put({}, { deadVersion: 1, lastError: "invalid_grant", dueAt: world.now });
    await passDue(60 * DAY);
    expect(world.stored().plain.refreshToken).toBe("r-old");
    expect(world.stored()).not.toHaveProperty("dueAt");
  });

  test("keeps its tokens when the stored death is of an older grant of the instance", async () => {
    const { death } = await die();
    // An earlier version of Linkspan signed the user in again and kept the unknown attribute; then the new grant died too.
    world.put({}, { death, lastError: "invalid_grant", version: 1, fence: 9 } as Partial<Instance>);
    world.items.set(42, { ...world.stored(), death: { ...death, version: 7 } as NonNullable<typeof death> });
    world.items.set(42, { ...world.stored(), deadVersion: 1, dueAt: world.now });
    await passDue(60 * DAY);
    expect(world.stored().plain.refreshToken).toBe("r-old");
  });

  test("is not revoked by a delete when its tokens are already deleted", async () => {
    await die();
    await passDue(31 * DAY);
    await markForDeletion(world.deps, 42);
    await finishDeletion(world.deps, 42, world.call);
    expect(world.revoked).toEqual([]);
    expect(world.items.size).toBe(0);
  });
});

describe("one more try of a dead grant", () => {
  test("revives the grant when the vendor accepts it, and sends an event", async () => {
    await die();
    await world.pass(DAY);
    world.answer = () => granted("again");
    await work("revive");
    expect(world.sent).toEqual(["r-old"]);
    const { plain, ...stored } = world.stored();
    expect(plain.accessToken).toBe("again");
    for (const gone of ["deadVersion", "death", "lastError", "lastFailure"])
      expect(stored).not.toHaveProperty(gone);
    expect(stored.dueAt).toBeGreaterThan(world.now);
    expect(world.announced.map(({ name }) => name)).toEqual(["instance.revived"]);
    expect(world.outcomes.at(-1)).toMatchObject({ outcome: "revived", cause: "revive" });
  });

  const others: [string, TokenOutcome][] = [
    ["invalid_grant", { ...DEAD, description: "another word for it" }],
    ["a refusal", { kind: "refused", status: 429, error: "slow_down", retryAfterMs: HOUR }],
    ["a refused client", { kind: "client_refused", status: 401, error: "invalid_client" }],
    ["no connection", { kind: "never_sent", reason: "no route" }],
  ];
  test.each(others)("changes nothing after %s, and sends no event", async (_, outcome) => {
    const { fence: __, ...dead } = await die();
    await world.pass(DAY);
    world.answer = () => outcome;
    await work("revive");
    expect(world.sent).toEqual(["r-old"]);
    const { fence: ___, forcedAt, ...after } = world.stored();
    const { confirmedAt, ...death } = after.death ?? {};
    expect({ ...after, death }).toEqual(dead);
    expect(confirmedAt).toBe(outcome.kind === "invalid_grant" ? forcedAt : undefined);
    expect(forcedAt).toBeGreaterThan(0);
    expect(world.announced).toEqual([]);
    await work("revive");
    expect(world.sent).toHaveLength(1);
  });

  test("never sends the token again when the vendor has seen it twice, before or in this try", async () => {
    const reused: TokenOutcome = { kind: "invalid_grant", error: "refresh_token_reused" };
    await die(reused);
    await world.pass(DAY);
    await work("revive");
    expect(world.sent).toEqual([]);

    await die();
    await world.pass(DAY);
    world.answer = () => ({ ...DEAD, description: "The refresh token was already used." });
    await work("revive");
    expect(world.stored().death).toMatchObject({ reason: "refresh_token_reused" });
    await world.pass(DAY);
    await work("revive");
    expect(world.sent).toHaveLength(1);
  });

  test("never sends the token again when the vendor has seen it twice, also when the time of death is unknown", async () => {
    world.put({}, { deadVersion: 1, lastError: "invalid_grant" });
    world.answer = () => ({ ...DEAD, description: "The refresh token was already used." });
    await work("revive");
    const { death, dueAt } = world.stored();
    expect(death).toMatchObject({ version: 1, reason: "refresh_token_reused" });
    expect(dueAt).toBe((death?.at ?? 0) + 30 * DAY);
    await world.pass(DAY);
    await work("revive");
    expect(world.sent).toHaveLength(1);
  });

  test.each<[string, Partial<Instance>]>([
    ["the instance was restored from a backup", { deadVersion: 1, lastError: "restored" }],
    ["the instance is being deleted", { deadVersion: 1, lastError: "invalid_grant", deleting: true }],
    ["the instance is disabled", { deadVersion: 1, lastError: "invalid_grant", enabled: false }],
    ["the access token has expired", { deadVersion: 1, lastError: "token_expired" }],
    [
      "the tokens are deleted",
      { deadVersion: 1, death: { version: 1, at: 1, reason: "invalid_grant", emptied: true } },
    ],
  ])("sends nothing when %s", async (_, changes) => {
    world.put({}, changes);
    world.revocationFails = true;
    await work("revive");
    expect(world.sent).toEqual([]);
  });

  test("works for a grant that an earlier version marked dead", async () => {
    world.put({}, { deadVersion: 1, lastError: "invalid_grant" });
    world.answer = () => granted("again");
    await work("revive");
    expect(world.stored().plain.accessToken).toBe("again");
  });
});

describe("an app that has its user's secret", () => {
  const force = (asker: "owner" | "token" = "owner") =>
    world.finish(forceRefresh(world.deps, 42, world.call, asker)).then(
      ({ value }) => value,
      (error) => error.code,
    );

  test("can have a dead grant tried once an hour", async () => {
    await die();
    await world.pass(60_000);
    expect(await force()).toBe("needs_reauthentication");
    expect(world.sent).toHaveLength(1);
    await world.pass(30 * 60_000);
    expect(await force()).toBe("refresh_too_soon");
    await world.pass(31 * 60_000);
    world.answer = () => granted("again");
    expect(await force()).toBe("again");
    expect(world.sent).toHaveLength(2);
  });

  test("can have it tried for 48 hours, and no longer", async () => {
    await die();
    await world.pass(47 * HOUR);
    expect(await force()).toBe("needs_reauthentication");
    expect(world.sent).toHaveLength(1);
    await world.pass(2 * HOUR);
    expect(await force()).toBe("needs_reauthentication");
    expect(world.sent).toHaveLength(1);
  });

  test("has a right that an instance token alone does not have", async () => {
    await die();
    await world.pass(HOUR);
    world.answer = () => granted("again");
    expect(await force("token")).toBe("needs_reauthentication");
    expect(world.sent).toEqual([]);
  });
});
