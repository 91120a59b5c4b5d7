import { beforeEach, describe, expect, test } from "vitest";
import { Forbidden, NeedsReauthentication, Unauthorized, Unavailable } from "../../functions/core/errors.ts";
import {
  type AccessToken,
  currentAccessToken,
  forceRefresh,
  tokenAfterUnauthorized,
} from "../../functions/core/grant/refresh/access-token.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { CalmWorld, granted, HOUR } from "./calm-world.ts";

// A caller whose token has run out, or was refused, while another process refreshes the grant.

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

const expired = () => ({ obtainedAt: world.now - HOUR, expiresAt: world.now });
const held = () => ({ fence: 2, until: world.now + 90_000 });

/** Commits another process's refresh. */
async function theirs(): Promise<void> {
  const place = { organizationId: "org", item: "instance/42", field: "grant", version: 2 };
  const grant = await world.deps.vault.seal(place, JSON.stringify(world.grant({ accessToken: "theirs" })));
  await world.deps.instances.commit(42, { version: 1 }, { fence: 2, grant, refreshedAt: world.now });
}

const callers: [string, () => Promise<AccessToken | undefined>][] = [
  ["a call", async () => currentAccessToken(world.deps, await world.read(), world.call)],
  ["a call that the vendor refused", () => tokenAfterUnauthorized(world.deps, 42, 1, world.call)],
  ["a refresh that the app asks for", () => forceRefresh(world.deps, 42, world.call)],
];

describe.each(callers)("%s", (caller, call) => {
  const answer = () => world.finish(call().catch((error: unknown) => error));

  test("waits for the refresh of another function, and sends the vendor nothing", async () => {
    world.put(expired(), held());
    const waiting = answer();
    await world.pass(3_000);
    await theirs();
    expect(await waiting).toMatchObject({ value: "theirs", version: 2 });
    expect(world.sent).toEqual([]);
    expect(world.outcomes.map(({ outcome }) => outcome)).toEqual(["waited"]);
  });

  test("does not wait for a Retry-After of a day that an earlier version stored", async () => {
    world.put(expired(), { retryAt: world.now + 20 * HOUR, attempts: 1 });
    expect(await answer()).toMatchObject({ version: 2 });
    expect(world.sent).toEqual(["r-old"]);
  });

  test("uses the token that another function stored at the same moment", async () => {
    world.put(expired());
    const { takeLease } = world.deps.instances;
    Object.assign(world.deps.instances, {
      takeLease: async (...args: Parameters<typeof takeLease>) => {
        await takeLease(...args);
        await theirs();
        return false;
      },
    });
    const start = world.now;
    expect(await answer()).toMatchObject({ value: "theirs" });
    expect(world.now - start).toBeLessThan(500);
    expect(world.sent).toEqual([]);
  });

  test("gets a Retry-After when the vendor delays the refresh", async () => {
    world.put(expired());
    world.answer = () => ({ kind: "refused", status: 429, error: "slow", retryAfterMs: 30_000 });
    const told = await answer();
    if (caller === "a call that the vendor refused") return expect(told).toBeUndefined();
    expect(told).toBeInstanceOf(Unavailable);
    expect(Number((told as Unavailable).headers?.["Retry-After"])).toBeGreaterThanOrEqual(29);
    // A second try before that time sends nothing.
    const again =
      caller === "a refresh that the app asks for" ? [429, "refresh_too_soon"] : [503, "token_unavailable"];
    const { status, code } = (await answer()) as Unavailable;
    expect([status, code]).toEqual(again);
    expect(world.sent).toEqual(["r-old"]);
  });

  test.each<[string, Partial<Instance> | undefined, new (...args: never[]) => Error]>([
    ["deleted", undefined, Unauthorized],
    ["being deleted", { deleting: true }, Unauthorized],
    ["disabled", { enabled: false }, Forbidden],
    ["marked dead", { deadVersion: 1 }, NeedsReauthentication],
  ])("gets that error when the instance is %s meanwhile", async (_, change, error) => {
    world.put(expired(), held());
    const waiting = answer();
    await world.pass(2_000);
    if (change === undefined) world.items.delete(42);
    else world.items.set(42, { ...(world.items.get(42) as Instance), ...change });
    expect(await waiting).toBeInstanceOf(error);
    expect(world.sent).toEqual([]);
  });

  test("in a function with too little time left lets the worker refresh, once, and waits for the result", async () => {
    world.put(expired());
    world.remaining = 20_000;
    const waiting = answer();
    await world.pass(4_000);
    expect(world.handedOver).toHaveLength(1);
    await theirs();
    expect(await waiting).toMatchObject({ value: "theirs" });
    expect(world.handedOver).toHaveLength(1);
    expect(world.sent).toEqual([]);
  });
});

describe("an old reading of an instance (after a slow upload)", () => {
  test("is not used for a refresh: the item is read again", async () => {
    world.put(expired());
    const read = await world.read();
    await world.pass(9_500);
    expect((await world.finish(currentAccessToken(world.deps, read, world.call))).value).toBe("new");
    expect(world.tableCalls[0]).toBe("get");
  });

  test("is replaced by what another process stored meanwhile", async () => {
    world.put(expired());
    const read = await world.read();
    await world.pass(9_500);
    await theirs();
    expect((await world.finish(currentAccessToken(world.deps, read, world.call))).value).toBe("theirs");
    expect(world.sent).toEqual([]);
  });

  test("is different from a recent reading, which is used for a refresh at once, without another read", async () => {
    world.put(expired());
    world.answer = () => granted("new");
    const read = await world.read();
    await world.finish(currentAccessToken(world.deps, read, world.call));
    expect(world.tableCalls[0]).toBe("takeLease");
  });
});
