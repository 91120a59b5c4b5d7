import { beforeEach, describe, expect, test } from "vitest";
import { NeedsReauthentication, Unavailable } from "../../functions/core/errors.ts";
import {
  currentAccessToken,
  forceRefresh,
  tokenAfterUnauthorized,
} from "../../functions/core/grant/refresh/access-token.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { CalmWorld, DAY, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

const current = async () => {
  const read = await world.read();
  return await world.finish(currentAccessToken(world.deps, read, world.call));
};
const slowly = (ms: number, outcome: TokenOutcome) => () => world.deps.sleep(ms).then(() => outcome);
const MINUTE = 60_000;

describe("a valid token", () => {
  test("costs no read, no write and no call", async () => {
    world.put();
    const read = await world.read();
    const token = await currentAccessToken(world.deps, read, world.call);
    expect(token).toMatchObject({ value: "old", version: 1 });
    expect(world.tableCalls).toEqual([]);
    expect(world.sent).toEqual([]);
    expect(world.after).toEqual([]);
  });

  test("is served until its last minute, and refreshed in that minute", async () => {
    world.put({ expiresAt: world.now + 62_000, obtainedAt: world.now - HOUR });
    expect((await current()).value).toBe("old");
    await world.pass(3_000);
    expect((await current()).value).toBe("new");
    expect(world.sent).toEqual(["r-old"]);
  });

  test("with a short lifetime is refreshed in the last tenth of it", async () => {
    world.put({ obtainedAt: world.now, expiresAt: world.now + 60_000 });
    await world.pass(52_000);
    expect((await current()).value).toBe("old");
    await world.pass(3_000);
    expect((await current()).value).toBe("new");
  });

  test.each(["unknown lifetime", "no refresh token"])("with %s is served as it is", async (kind) => {
    const { expiresAt, refreshToken, ...rest } = world.grant();
    const grant = kind === "unknown lifetime" ? { ...rest, refreshToken } : { ...rest, expiresAt: 1 };
    world.put();
    const instance = { ...world.stored(), grant: await sealed(grant) };
    world.items.set(42, instance);
    expect((await current()).value).toBe("old");
    expect(world.sent).toEqual([]);
  });

  test("stores its last use once a day, after the answer", async () => {
    world.put({}, { lastUsedAt: world.now - DAY });
    await current();
    await Promise.all(world.after);
    expect(world.tableCalls).toEqual(["touch"]);
    expect(world.stored().lastUsedAt).toBeGreaterThan(world.now - 2_000);
    await current();
    expect(world.tableCalls).toEqual([]);
  });

  test("of an idle grant brings the grant back to the due index when it is used", async () => {
    const { dueAt, ...idle } = world.put(
      {},
      { lastUsedAt: world.now - 8 * DAY, createdAt: world.now - 9 * DAY },
    );
    world.items.set(42, idle);
    await current();
    await Promise.all(world.after);
    expect(world.stored().dueAt).toBeGreaterThan(world.now + 0.69 * HOUR);
  });

  test("of an idle grant whose due time is long past makes it due from this use on, and not overdue", async () => {
    const { dueAt, ...idle } = world.put(
      { obtainedAt: world.now - 3.5 * HOUR, expiresAt: world.now + 0.5 * HOUR },
      { lastUsedAt: world.now - 8 * DAY, createdAt: world.now - 9 * DAY },
    );
    world.items.set(42, idle);
    const usedAt = world.now;
    await current();
    await Promise.all(world.after);
    expect(world.stored().dueAt).toBeGreaterThanOrEqual(usedAt);
  });
});

describe("a token endpoint that is slow or down", () => {
  test("a caller with a valid token waits 8 s and gets that token; the late answer is stored", async () => {
    world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now + 50_000 });
    world.answer = slowly(30_000, granted("late"));
    const start = world.now;
    expect((await current()).value).toBe("old");
    expect(world.now - start).toBeLessThan(9_000);
    await world.pass(30_000);
    expect(world.stored()).toMatchObject({ version: 2, plain: { accessToken: "late" } });
    expect(world.sent).toEqual(["r-old"]);
  });

  test("a caller without a valid token gets 503 with Retry-After after 8 s; an answer after 55 s is stored", async () => {
    world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now });
    world.answer = slowly(55_000, granted("late"));
    const start = world.now;
    const failed = await current().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(Unavailable);
    expect((failed as Unavailable).headers).toHaveProperty("Retry-After");
    expect(world.now - start).toBeLessThan(9_000);
    await world.pass(50_000);
    expect(world.stored().plain.accessToken).toBe("late");
  });

  test("other callers get the valid token meanwhile, and never call the vendor", async () => {
    world.put(
      { obtainedAt: world.now - HOUR, expiresAt: world.now + 50_000 },
      { fence: 2, until: world.now + 90_000 },
    );
    expect((await current()).value).toBe("old");
    expect(world.sent).toEqual([]);
  });

  test("other callers without a valid token wait until the version changes", async () => {
    world.put(
      { obtainedAt: world.now - HOUR, expiresAt: world.now },
      { fence: 2, until: world.now + 90_000 },
    );
    const waiting = current();
    await world.pass(2_000);
    const grant = await sealed(world.grant({ accessToken: "theirs" }), 2);
    await world.deps.instances.commit(42, { version: 1 }, { fence: 2, grant, refreshedAt: world.now });
    expect((await waiting).value).toBe("theirs");
    expect(world.sent).toEqual([]);
    expect(world.outcomes.map(({ outcome }) => outcome)).toEqual(["waited"]);
  });

  test("a valid token is served while the vendor answers 503 for a long time, and the vendor gets few requests", async () => {
    world.connector = { ...connector, oauth2: { ...connector.oauth2, refreshToken: { rotates: false } } };
    world.put({ obtainedAt: world.now - 3 * HOUR, expiresAt: world.now + MINUTE });
    world.answer = () => ({ kind: "unknown", reason: "503" });
    for (let second = 0; second < 55; second++) {
      expect((await current()).value).toBe("old");
      await world.pass(500);
    }
    expect(world.sent.length).toBeLessThan(8);
    world.answer = () => granted("back");
    await world.pass(2 * MINUTE);
    expect((await current()).value).toBe("back");
  });

  test("with too little time left in the function the worker does the refresh", async () => {
    world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now + 30_000 });
    world.remaining = 99_000;
    expect((await current()).value).toBe("old");
    expect(world.handedOver).toEqual([{ id: 42, cause: "just_in_time" }]);
    expect(world.sent).toEqual([]);
  });

  test("callers of one process share one refresh", async () => {
    world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now });
    world.answer = slowly(3_000, granted("shared"));
    const reads = await Promise.all([1, 2, 3].map(() => world.read()));
    const all = Promise.all(reads.map((read) => currentAccessToken(world.deps, read, world.call)));
    expect((await world.finish(all)).map(({ value }) => value)).toEqual(["shared", "shared", "shared"]);
    expect(world.sent).toEqual(["r-old"]);
  });
});

describe("a dead grant", () => {
  test("is detected once, and the vendor gets no further request", async () => {
    world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now });
    world.answer = () => ({ kind: "invalid_grant", error: "invalid_grant" });
    await expect(current()).rejects.toBeInstanceOf(NeedsReauthentication);
    expect(world.stored()).toMatchObject({ deadVersion: 1, lastError: "invalid_grant" });
    // The due time is only for the worker that deletes the tokens after 30 days.
    expect(world.stored().dueAt).toBe((world.stored().death?.at ?? 0) + 30 * DAY);
    await expect(current()).rejects.toBeInstanceOf(NeedsReauthentication);
    expect(world.sent).toHaveLength(1);
  });
});

describe("a vendor's 401", () => {
  const after401 = (version = 1) => world.finish(tokenAfterUnauthorized(world.deps, 42, version, world.call));

  test("leads to the newer token that another process stored, without a request", async () => {
    world.put(
      { accessToken: "newer" },
      { version: 2, fence: 2, grant: await sealed(world.grant({ accessToken: "newer" }), 2) },
    );
    expect((await after401())?.value).toBe("newer");
    expect(world.sent).toEqual([]);
  });

  test("forces at most one refresh a minute, counted from the last refresh", async () => {
    world.put({ obtainedAt: world.now - 61_000 });
    expect((await after401())?.value).toBe("new");
    expect(await after401(2)).toBeUndefined();
    await world.pass(62_000);
    world.answer = () => granted("newest");
    expect((await after401(2))?.value).toBe("newest");
    expect(world.sent).toEqual(["r-old", "r-new"]);
  });

  test("forces a refresh of a token from a first exchange, whatever its age", async () => {
    world.put({ obtainedBy: "exchange" });
    expect((await after401())?.value).toBe("new");
  });

  test("is the answer when there is no refresh token", async () => {
    const { refreshToken, ...grant } = world.grant();
    world.put();
    world.items.set(42, { ...world.stored(), grant: await sealed(grant) });
    expect(await after401()).toBeUndefined();
  });

  test("a refresh forced by the app is done however long the token is still valid", async () => {
    world.put();
    expect((await world.finish(forceRefresh(world.deps, 42, world.call))).value).toBe("new");
  });
});

async function sealed(grant: object, version = 1): Promise<Uint8Array> {
  const place = { organizationId: "org", item: "instance/42", field: "grant", version };
  return await world.deps.vault.seal(place, JSON.stringify(grant));
}
