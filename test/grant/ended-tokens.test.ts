import { Readable } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { tokenAfterUnauthorized } from "../../functions/core/grant/refresh/access-token.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import type { Grant, Instance } from "../../functions/core/instances/instance.ts";
import { CalmWorld, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";

let world: CalmWorld;
const ENDED = { error: { ".tag": "invalid_access_token" } };
/** What the vendor answers to the connector's account call. `asked` counts the calls. */
let account: { status: number; body: unknown };
let asked: number;
beforeEach(() => {
  world = new CalmWorld();
  asked = 0;
  account = { status: 401, body: ENDED };
  world.connector = {
    ...connector,
    oauth2: { ...connector.oauth2, accessToken: { endedErrors: ["invalid_access_token"] } },
    account: { method: "GET", path: "/me", id: "id" },
  };
});

const http = {
  async send({ url }: { url: string }) {
    asked++;
    if (account.status === 0) throw new Error("no answer");
    const body = Readable.from([Buffer.from(JSON.stringify(account.body))]);
    return { status: account.status, headers: {}, rawHeaders: [], body, url };
  },
};

/** Puts a grant without a refresh token, old enough that each of the vendor's servers knows it. */
function put(changes: Partial<Grant> = {}): void {
  const obtainedAt = world.now - timing.freshTokenMs;
  const { refreshToken, expiresAt: _, ...grant } = world.grant({ obtainedBy: "exchange", obtainedAt });
  const { dueAt, ...instance } = world.put();
  const plain = { ...grant, ...changes };
  const place = { organizationId: "org", item: "instance/42", field: "grant", version: 1 };
  const sealed = new TextEncoder().encode(JSON.stringify([place, JSON.stringify(plain)]));
  world.items.set(42, { ...(instance as Instance), grant: sealed });
}

/** What a caller gets after the vendor answered its call with 401. */
const refused = () =>
  world.finish(tokenAfterUnauthorized({ ...world.deps, http }, 42, 1, world.call)).then(
    (token) => (token === undefined ? "401 of the vendor" : "another token"),
    (error) => error.code,
  );

describe("a vendor's 401 for a token without a refresh token", () => {
  test("ends a token whose time has run out, without another request", async () => {
    put({ expiresAt: world.now + HOUR });
    await world.pass(HOUR);
    expect(await refused()).toBe("needs_reauthentication");
    expect(asked).toBe(0);
    expect(world.stored()).toMatchObject({ deadVersion: 1, death: { reason: "token_expired" } });
    expect(world.announced).toMatchObject([{ name: "instance.needs_reauth", reason: "token_expired" }]);
    expect(world.outcomes).toMatchObject([{ outcome: "needs_reauth", cause: "unauthorized" }]);
    expect(world.sent).toEqual([]);
  });

  test.each([
    ["has no known end", undefined],
    ["has not run out", 5 * HOUR],
  ])("ends a token that %s if the account call is refused too", async (_, left) => {
    put(left === undefined ? {} : { expiresAt: world.now + left });
    expect(await refused()).toBe("needs_reauthentication");
    expect(asked).toBe(1);
    expect(world.stored()).toMatchObject({ deadVersion: 1, lastError: "token_refused" });
    expect(world.stored()).not.toHaveProperty("until");
    expect(world.announced).toMatchObject([{ name: "instance.needs_reauth", reason: "token_refused" }]);
  });

  test.each([
    ["the account", { status: 200, body: { id: "ann" } }],
    ["a 401 about a scope", { status: 401, body: { error: { ".tag": "missing_scope" } } }],
    ["a 401 without an error", { status: 401, body: null }],
    ["403", { status: 403, body: ENDED }],
    ["500", { status: 500, body: ENDED }],
    ["nothing", { status: 0, body: null }],
  ])("goes to the caller when the account call's answer is %s", async (_, answer) => {
    put();
    account = answer;
    expect(await refused()).toBe("401 of the vendor");
    expect(asked).toBe(1);
    expect(world.stored()).not.toHaveProperty("deadVersion");
    expect(world.stored()).not.toHaveProperty("until");
    expect(world.announced).toEqual([]);
  });

  test("does not end a token by the connector's guessed lifetime; the account call decides", async () => {
    put({ expiresAt: world.now - 1, guessedExpiry: true });
    account = { status: 401, body: { error: { ".tag": "missing_scope" } } };
    expect(await refused()).toBe("401 of the vendor");
    expect(asked).toBe(1);
    await world.pass(HOUR + 1_000);
    account = { status: 401, body: ENDED };
    expect(await refused()).toBe("needs_reauthentication");
    expect(world.stored()).toMatchObject({ lastError: "token_refused" });
  });

  test.each(["exchange", "refresh"] as const)(
    "does not end a token that an %s brought seconds ago",
    async (obtainedBy) => {
      put({ obtainedBy, obtainedAt: world.now });
      expect(await refused()).toBe("401 of the vendor");
      expect(asked).toBe(0);
      await world.pass(timing.freshTokenMs);
      expect(await refused()).toBe("needs_reauthentication");
    },
  );

  test("ends an imported token at once, since its age is unknown", async () => {
    put({ obtainedBy: "import", obtainedAt: world.now });
    expect(await refused()).toBe("needs_reauthentication");
  });

  test("causes one account call an hour", async () => {
    put();
    account = { status: 200, body: { id: "ann" } };
    for (let times = 0; times < 5; times++) expect(await refused()).toBe("401 of the vendor");
    expect(asked).toBe(1);
    await world.pass(HOUR + 1_000);
    account = { status: 401, body: ENDED };
    expect(await refused()).toBe("needs_reauthentication");
    expect(asked).toBe(2);
  });

  test("goes to the caller when the connector has no account call", async () => {
    put();
    world.connector = connector;
    expect(await refused()).toBe("401 of the vendor");
    expect(world.stored()).not.toHaveProperty("deadVersion");
  });

  test("does not end the grant of a sign-in that was written meanwhile", async () => {
    put();
    const deps = {
      ...world.deps,
      http: {
        async send(request: { url: string }) {
          world.put({ accessToken: "signed in" }, { version: 9, fence: 9, grant: world.stored().grant });
          return await http.send(request);
        },
      },
    };
    const outcome = await world
      .finish(tokenAfterUnauthorized(deps, 42, 1, world.call))
      .catch((error) => error.code);
    expect(outcome).toBeUndefined();
    expect(world.items.get(42)).not.toHaveProperty("deadVersion");
  });
});
