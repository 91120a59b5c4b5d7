import { Readable } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { tokenAfterUnauthorized } from "../../functions/core/grant/refresh/access-token.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { CalmWorld, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";

let world: CalmWorld;
/** What the vendor answers to the connector's account call, and how often it was asked. */
let accountStatus: number;
let asked: number;
beforeEach(() => {
  world = new CalmWorld();
  accountStatus = 401;
  asked = 0;
  world.connector = {
    ...connector,
    async account(http) {
      const { status } = await http.send({
        method: "GET",
        url: "https://api.vendor.example/me",
        headers: [],
        allowedHosts: ["api.vendor.example"],
        timeoutMs: 1_000,
      });
      if (status !== 200) throw new Error(`/me answered ${status}`);
      return { id: "ann" };
    },
  };
});

const http = {
  async send({ url }: { url: string }) {
    asked++;
    if (accountStatus === 0) throw new Error("no answer");
    return { status: accountStatus, headers: {}, rawHeaders: [], body: Readable.from([]), url };
  },
};

/** A grant that came without a refresh token. */
function put(expiresAt?: number): void {
  const { refreshToken, ...grant } = world.grant({ obtainedBy: "exchange", obtainedAt: world.now });
  const { expiresAt: _, ...endless } = grant;
  const { dueAt, ...instance } = world.put();
  const plain = expiresAt === undefined ? endless : { ...endless, expiresAt };
  const place = { organizationId: "org", item: "instance/42", field: "grant", version: 1 };
  const sealed = new TextEncoder().encode(JSON.stringify([place, JSON.stringify(plain)]));
  world.items.set(42, { ...(instance as Instance), grant: sealed });
}

/** What a caller gets whose call the vendor answered with 401. */
const refused = () =>
  world.finish(tokenAfterUnauthorized({ ...world.parts, http }, 42, 1, world.call)).then(
    (token) => (token === undefined ? "401 of the vendor" : "another token"),
    (error) => error.code,
  );

describe("a vendor's 401 to a token without refresh token", () => {
  test("ends it where it has run out: nobody has to ask further", async () => {
    put(world.now + HOUR);
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
  ])("ends one that %s if its account call is refused, too", async (_, left) => {
    put(left === undefined ? undefined : world.now + left);
    expect(await refused()).toBe("needs_reauthentication");
    expect(asked).toBe(1);
    expect(world.stored()).toMatchObject({ deadVersion: 1, lastError: "token_refused" });
    expect(world.stored()).not.toHaveProperty("until");
    expect(world.announced).toMatchObject([{ name: "instance.needs_reauth", reason: "token_refused" }]);
  });

  test.each([200, 403, 500, 0])(
    "is the caller's where the account call is answered by %i",
    async (status) => {
      put();
      accountStatus = status;
      expect(await refused()).toBe("401 of the vendor");
      expect(asked).toBe(1);
      expect(world.stored()).not.toHaveProperty("deadVersion");
      expect(world.stored()).not.toHaveProperty("until");
      expect(world.announced).toEqual([]);
    },
  );

  test("brings one account call an hour", async () => {
    put();
    accountStatus = 200;
    for (let times = 0; times < 5; times++) expect(await refused()).toBe("401 of the vendor");
    expect(asked).toBe(1);
    await world.pass(HOUR + 1_000);
    accountStatus = 401;
    expect(await refused()).toBe("needs_reauthentication");
    expect(asked).toBe(2);
  });

  test("is the caller's where the connector has no account call", async () => {
    put();
    world.connector = connector;
    expect(await refused()).toBe("401 of the vendor");
    expect(world.stored()).not.toHaveProperty("deadVersion");
  });

  test("does not end what a sign-in has put there meanwhile", async () => {
    put();
    const parts = {
      ...world.parts,
      http: {
        async send(request: { url: string }) {
          world.put({ accessToken: "signed in" }, { version: 9, fence: 9, grant: world.stored().grant });
          return await http.send(request);
        },
      },
    };
    const outcome = await world
      .finish(tokenAfterUnauthorized(parts, 42, 1, world.call))
      .catch((error) => error.code);
    expect(outcome).toBeUndefined();
    expect(world.items.get(42)).not.toHaveProperty("deadVersion");
  });
});
