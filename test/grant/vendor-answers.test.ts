import { beforeEach, describe, expect, test } from "vitest";
import { LinkspanError } from "../../functions/core/errors.ts";
import { currentAccessToken } from "../../functions/core/grant/refresh/access-token.ts";
import { pauseKey } from "../../functions/core/grant/refresh/client-pauses.ts";
import { finishDeletion, markForDeletion } from "../../functions/core/grant/revocation/delete-instance.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { provisionInstance } from "../../functions/core/grant/sign-in/first-exchange.ts";
import { importInstance } from "../../functions/core/grant/sign-in/import-grant.ts";
import { nextRefreshAt } from "../../functions/core/grant/store/due.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import type { OAuthClient } from "../../functions/core/instances/instance.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { CalmWorld, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";
import { signIn } from "./signing-in.ts";

const MINUTE = 60_000;
const client: OAuthClient = { kind: "own", id: "client", secret: "secret" };

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
  world.connector = { ...connector, oauth2: { ...connector.oauth2, refreshToken: { rotates: true } } };
});

const about = () => ({
  organizationId: "org",
  userId: "user",
  connector: world.connector,
  client,
  name: "Mine",
  tags: [],
  configuration: {},
  secretConfiguration: {},
});
const provision = (code = "code") =>
  world.finish(
    provisionInstance(
      world.deps,
      world.transients,
      { ...about(), code, redirectUri: "https://app.example/cb" },
      world.call,
    ),
  );
const importing = (grant: { accessToken?: string; refreshToken?: string }) =>
  world.finish(importInstance(world.deps, { ...about(), ...grant }, world.call));
const due = () => world.finish(refreshDue(world.deps, { instanceId: 42, cause: "schedule" }, world.call));
const problem = async (work: Promise<unknown>): Promise<LinkspanError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof LinkspanError)) throw new Error(`no problem: ${String(error)}`);
  return error;
};

describe("an access token that no header can carry", () => {
  const unusable = (refreshToken?: string): TokenOutcome => ({
    kind: "unusable",
    response: {
      accessToken: "line\nbreak",
      tokenType: "bearer",
      ...(refreshToken === undefined ? {} : { refreshToken }),
    },
  });
  /** Puts a due instance whose token has ten minutes left. */
  const put = () =>
    world.put(
      { obtainedAt: world.now - 50 * MINUTE, expiresAt: world.now + 10 * MINUTE },
      { dueAt: world.now },
    );

  test("comes with a new refresh token, which is stored and sent at the next try", async () => {
    put();
    world.answer = (token) => unusable(`${token}+`);
    await due();
    expect(world.stored()).toMatchObject({
      plain: { accessToken: "old", refreshToken: "r-old+" },
      version: 2,
      attempts: 1,
      lastError: "unusable_access_token",
    });
    expect(world.stored()).not.toHaveProperty("until");
    expect(world.outcomes.map(({ outcome }) => outcome)).toEqual(["refused"]);
    expect(world.announced.map(({ name }) => name)).toEqual(["instance.refresh_failed"]);

    await world.pass(20 * MINUTE);
    world.answer = () => granted("new");
    await due();
    expect(world.sent).toEqual(["r-old", "r-old+"]);
    expect(world.stored()).toMatchObject({ plain: { accessToken: "new" } });
    expect(world.stored()).not.toHaveProperty("attempts");
  });

  test("leaves the old token in use until it expires, and the vendor is not asked at every call", async () => {
    put();
    world.answer = (token) => unusable(`${token}+`);
    await due();
    const call = async () => currentAccessToken(world.deps, await world.read(), world.call);
    expect((await world.finish(call())).value).toBe("old");
    await world.pass(11 * MINUTE);
    await problem(world.finish(call()));
    const sent = world.sent.length;
    await problem(world.finish(call()));
    expect(world.sent.length).toBe(sent);
  });

  test("without a new refresh token gives the lease back, and the old refresh token stays", async () => {
    put();
    world.answer = () => unusable();
    await due();
    expect(world.stored()).toMatchObject({ plain: { refreshToken: "r-old" }, version: 1, attempts: 1 });
    expect(world.stored()).not.toHaveProperty("until");
  });

  test("comes with a refresh token that goes to the rescue bucket when the table fails, and back from there", async () => {
    put();
    world.answer = (token) => {
      world.tableFails = true;
      return unusable(`${token}+`);
    };
    await due();
    expect([...world.records.keys()]).toEqual(["rescue/42/2"]);
    world.tableFails = false;
    await world.pass(3 * MINUTE);
    world.answer = () => granted("new");
    await due();
    await due();
    expect(world.sent).toEqual(["r-old", "r-old+"]);
  });

  test("creates no instance, and its grant is ended at the vendor", async () => {
    world.exchange = () => unusable("r");
    expect(await problem(provision())).toMatchObject({ status: 502, code: "unusable_access_token" });
    expect(world.items.size).toBe(0);
    expect(world.revoked).toEqual(["line\nbreak"]);
  });

  test("does not replace a grant in a sign-in", async () => {
    world.put();
    world.exchange = () => unusable("r");
    expect(await problem(signIn(world))).toMatchObject({ code: "unusable_access_token" });
    expect(world.stored().plain.accessToken).toBe("old");
    expect(world.revoked).toEqual(["line\nbreak"]);
  });

  test("is refused in an import, whether the caller or the vendor sends it", async () => {
    expect(await problem(importing({ accessToken: "tok\u0007en" }))).toMatchObject({
      status: 400,
      code: "unusable_access_token",
    });
    world.answer = () => unusable("r");
    expect(await problem(importing({ refreshToken: "r-0" }))).toMatchObject({ status: 502 });
    expect(world.items.size).toBe(0);
  });
});

describe("an answer from another server in place of the token endpoint", () => {
  test.each([403, 408, 425])(
    "%i does not use up the code: the same request may be sent again",
    async (status) => {
      world.exchange = () => ({ kind: "refused", status, error: `http_${status}` });
      expect(await problem(provision())).toMatchObject({ status: 503, code: "vendor_unavailable" });
      world.exchange = () => granted("first");
      expect((await provision()).instance.organizationId).toBe("org");
    },
  );

  test("403 with an error of the token endpoint itself goes to the caller", async () => {
    world.exchange = () => ({ kind: "refused", status: 403, error: "access_denied" });
    expect(await problem(provision())).toMatchObject({ status: 400, code: "vendor_refused" });
  });
});

describe("a sign-in that succeeds", () => {
  const key = pauseKey({ organizationId: "org", connector: connector.key }, client);
  const isPaused = async () => (await world.deps.pauses.check(key, world.now)).kind !== "open";
  beforeEach(async () => {
    await world.deps.pauses.pause(key, world.now);
    expect(await isPaused()).toBe(true);
    world.put();
  });

  test.each<[string, () => Promise<unknown>]>([
    ["for the first time", () => provision()],
    ["again", () => signIn(world)],
    ["by an import", () => importing({ refreshToken: "r-0" })],
  ])("%s ends the pause of its client", async (_, act) => {
    await act();
    await Promise.all(world.after);
    expect(await isPaused()).toBe(false);
  });

  test("is necessary for that: a refused one does not end the pause, nor does an import without a vendor request", async () => {
    world.exchange = () => ({ kind: "client_refused", status: 401, error: "invalid_client" });
    await problem(provision());
    await importing({ accessToken: "token" });
    await Promise.all(world.after);
    expect(await isPaused()).toBe(true);
  });
});

describe("a vendor's Retry-After", () => {
  test("of a year lasts one hour, and the status says so", async () => {
    world.put(
      { obtainedAt: world.now - 50 * MINUTE, expiresAt: world.now + 10 * MINUTE },
      { dueAt: world.now },
    );
    world.answer = () => ({
      kind: "refused",
      status: 429,
      error: "slow_down",
      retryAfterMs: 365 * 24 * HOUR,
    });
    await due();
    const stored = world.stored();
    expect(stored.retryAt).toBeLessThanOrEqual(world.now + HOUR + 2_000);
    const next = nextRefreshAt(stored, stored.plain) as number;
    expect(next).toBeGreaterThanOrEqual(stored.retryAt as number);
    expect(next).toBeLessThanOrEqual(world.now + HOUR + 15 * MINUTE);
    world.answer = () => granted("new");
    await world.pass(next - world.now + 1_000);
    await due();
    expect(world.stored().plain.accessToken).toBe("new");
  });

  test("does not appear in the status when there will be no refresh", () => {
    const instance = world.put({}, { dueAt: world.now + 5 * MINUTE });
    const grant = world.grant();
    expect(nextRefreshAt({ ...instance, retryAt: world.now + HOUR }, grant)).toBe(world.now + HOUR);
    expect(nextRefreshAt({ ...instance, enabled: false }, grant)).toBeUndefined();
    expect(nextRefreshAt({ ...instance, deadVersion: 1 }, grant)).toBeUndefined();
    const { refreshToken: _, ...single } = grant;
    expect(nextRefreshAt(instance, single)).toBeUndefined();
  });
});

describe("five deletes at the same time", () => {
  const deletes = (count: number) =>
    Promise.all(Array.from({ length: count }, () => markForDeletion(world.deps, 42)));
  const workers = (count: number) =>
    Promise.all(Array.from({ length: count }, () => finishDeletion(world.deps, 42, world.call)));

  test("make one revocation, whatever number of messages they send", async () => {
    world.put();
    expect(await deletes(5)).toEqual([true, true, true, true, true]);
    await world.finish(workers(5));
    expect(world.revoked).toEqual(["old"]);
    expect(world.items.has(42)).toBe(false);
  });

  test("send one message to the worker", async () => {
    world.put();
    expect(await deletes(4)).toEqual([true, true, true, true]);
    expect(await deletes(1)).toEqual([true]);
    expect(world.handedOver).toEqual([{ id: 42, cause: "delete" }]);
  });

  test("ask a vendor that fails once, and again when the retry is due", async () => {
    world.put();
    await deletes(5);
    let asked = 0;
    const revoke = world.deps.tokens.revoke;
    Object.assign(world.deps.tokens, {
      revoke: async () => {
        asked++;
        return false;
      },
    });
    for (const { id } of world.handedOver) await world.finish(finishDeletion(world.deps, id, world.call));
    expect(asked).toBe(1);
    Object.assign(world.deps.tokens, { revoke });
    await world.pass((world.stored().dueAt as number) - world.now + 1_000);
    await world.finish(workers(2));
    expect(world.revoked).toEqual(["old"]);
    expect(world.items.has(42)).toBe(false);
  });

  test("are finished by the next sweep after the claim of a worker that crashed", async () => {
    world.put();
    await deletes(1);
    const revoke = world.deps.tokens.revoke;
    Object.assign(world.deps.tokens, { revoke: () => new Promise(() => {}) });
    void finishDeletion(world.deps, 42, world.call);
    await world.settle();
    Object.assign(world.deps.tokens, { revoke });
    await world.finish(workers(1));
    expect(world.revoked).toEqual([]);
    await world.pass(timing.deletionMs + 1_000);
    // The instance has stayed on the due index.
    expect(world.stored().dueAt).toBeLessThanOrEqual(world.now);
    await world.finish(workers(1));
    expect(world.revoked).toEqual(["old"]);
  });
});
