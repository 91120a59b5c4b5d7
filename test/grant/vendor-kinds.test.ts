import { afterEach, describe, expect, test } from "vitest";
import type { Connector } from "../../functions/connectors/define-connector.ts";
import { endpointOf } from "../../functions/core/endpoint/endpoint.ts";
import { forceRefresh, tokenAfterUnauthorized } from "../../functions/core/grant/refresh/access-token.ts";
import { importInstance } from "../../functions/core/grant/sign-in/import-grant.ts";
import { needsReauthentication } from "../../functions/core/instances/instance.ts";
import {
  eternal,
  idle,
  json,
  longlived,
  milliseconds,
  placed,
  query,
  rotating,
  shortlived,
  text,
  unknown,
} from "../vendor-kinds/connectors.ts";
import { VendorLife } from "../vendor-kinds/life.ts";
import type { VendorKind } from "../vendor-kinds/server.ts";
import { DAY, HOUR } from "./calm-world.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let life: VendorLife;
afterEach(() => life.close());

const connect = async (connector: Connector, lifetimeMs?: number) => {
  life = await VendorLife.connect(connector, ({ rules }) => {
    if (lifetimeMs !== undefined) rules[connector.key as VendorKind].lifetimeMs = lifetimeMs;
  });
};
const force = () => forceRefresh(life.deps, life.id, life.world.call);

describe.each([eternal, shortlived])("a grant without a refresh token ($key)", (connector) => {
  test("is never due, and costs no token request in a year of daily use", async () => {
    await connect(connector, connector === shortlived ? 400 * DAY : undefined);
    expect(life.stored).not.toHaveProperty("dueAt");
    for (let day = 0; day < 365; day++) {
      await life.call();
      await life.pass(DAY);
    }
    expect(life.vendors.tokenRequests).toHaveLength(1);
  });

  test("that the vendor has ended: each call gets the vendor's 401, and no token request is sent", async () => {
    await connect(connector);
    expect(await life.call()).toBe(200);
    life.vendors.endConsents(connector.key as VendorKind);
    for (let call = 0; call < 3; call++) {
      expect(await life.call()).toBe(401);
      await life.pass(2 * MINUTE);
      await life.work("unauthorized");
    }
    expect(life.vendors.tokenRequests).toHaveLength(1);
    // At the first call the token is only seconds old, so the call is sent twice.
    expect(life.vendors.apiCalls.map(({ status }) => status)).toEqual([200, 401, 401, 401, 401]);
    expect(life.stored).not.toHaveProperty("deadVersion");
  });

  test("answers 501 to a refresh that the app asks for, because there is no refresh token", async () => {
    await connect(connector);
    await expect(force()).rejects.toMatchObject({ status: 501, code: "not_supported" });
    expect(life.vendors.tokenRequests).toHaveLength(1);
  });

  test("is taken off the due index by a worker that visits it", async () => {
    await connect(connector);
    life.world.items.set(life.id, { ...life.stored, dueAt: life.world.now });
    await life.work();
    expect(life.stored).not.toHaveProperty("dueAt");
    expect(life.vendors.tokenRequests).toHaveLength(1);
  });
});

test("a token with an expiry and no refresh token is used after its expiry until the vendor answers 401", async () => {
  await connect(shortlived, MINUTE);
  await life.pass(2 * MINUTE);
  expect(needsReauthentication(life.stored)).toBe(false);
  await expect(life.call()).rejects.toMatchObject({ code: "needs_reauthentication" });
  expect(life.vendors.apiCalls).toHaveLength(1);
  expect(life.stored.death).toMatchObject({ reason: "token_expired" });
});

describe("a lifetime", () => {
  test.each([milliseconds, text, rotating, query, json, idle])(
    "$key: of an hour is refreshed once an hour while in use, ahead of time, and never by a call",
    async (connector) => {
      await connect(connector);
      const due = life.stored.dueAt ?? 0;
      expect(due - life.world.now).toBeGreaterThan(0.69 * HOUR);
      expect(due - life.world.now).toBeLessThan(0.81 * HOUR);
      for (let minute = 0; minute < 10 * 45; minute++) {
        expect(await life.call()).toBe(200);
        await life.pass(MINUTE);
      }
      expect(life.refreshes).toBeGreaterThanOrEqual(9);
      expect(life.refreshes).toBeLessThanOrEqual(10);
      expect(life.world.outcomes.every(({ cause }) => cause === "schedule")).toBe(true);
      expect(life.refused).toBe(0);
    },
  );

  test("of 600 s costs at most one refresh for ten calls within it, with the sweep and without", async () => {
    await connect(rotating, 600 * SECOND);
    for (let call = 0; call < 10; call++) {
      expect(await life.call()).toBe(200);
      await life.pass(59 * SECOND);
    }
    expect(life.refreshes).toBe(1);
    for (let call = 0; call < 10; call++) {
      expect(await life.call()).toBe(200);
      await life.world.pass(59 * SECOND);
    }
    expect(life.refreshes).toBe(2);
    expect(life.refused).toBe(0);
  });

  test.each([
    // At least 2.4 s of 5 s are used: a fiftieth is subtracted, a tenth is kept, and the Date header costs a second at either
    // end.
    [5 * SECOND, 2_400],
    [60 * SECOND, 50_900],
    [5 * MINUTE, 255_000],
  ])(
    "of %i ms is refreshed just in time, not more often than each %i ms, and no dead token is sent",
    async (lifetime, atLeast) => {
      for (const offset of [0, 1, 250, 500, 999]) {
        await connect(rotating, lifetime);
        expect(life.stored).not.toHaveProperty("dueAt");
        await life.world.pass(offset);
        const start = life.world.now;
        let [seen, lastAt] = [life.refreshes, Number.NEGATIVE_INFINITY];
        for (let call = 0; call < 60; call++) {
          expect(await life.call()).toBe(200);
          if (life.refreshes > seen) {
            expect(life.refreshes).toBe(seen + 1);
            expect(life.world.now - lastAt).toBeGreaterThanOrEqual(atLeast);
            [seen, lastAt] = [life.refreshes, life.world.now];
          }
          await life.pass(lifetime / 17);
        }
        expect(life.refused).toBe(0);
        expect(life.refreshes).toBeGreaterThanOrEqual(3);
        expect(life.refreshes).toBeLessThanOrEqual(Math.ceil((life.world.now - start) / atLeast));
        if (offset < 999) await life.close();
      }
    },
  );

  test("of a day is refreshed at three quarters of it", async () => {
    await connect(rotating, DAY);
    for (let hour = 0; hour < 3 * 24; hour++) {
      expect(await life.call()).toBe(200);
      await life.pass(HOUR);
    }
    expect(life.refreshes).toBe(3);
  });

  test("that is unknown: the token is refreshed once when the vendor answers 401, and the call is repeated", async () => {
    await connect(unknown);
    expect(life.stored).not.toHaveProperty("dueAt");
    for (let minute = 0; minute < 130; minute++) {
      expect(await life.call()).toBe(200);
      await life.pass(MINUTE);
    }
    expect(life.refreshes).toBe(2);
    expect(life.refused).toBe(2);
  });

  test("that ends during a call does not pass the vendor's 401 to the caller, although the last refresh was 5 s ago", async () => {
    await connect(rotating, 5 * SECOND);
    await life.world.pass(6 * SECOND);
    expect(await life.call()).toBe(200);
    expect(life.refreshes).toBe(1);
    const { version } = life.stored;
    await life.world.pass(6 * SECOND);
    const next = await tokenAfterUnauthorized(life.deps, life.id, version, life.world.call);
    expect(next?.version).toBeGreaterThan(version);
    expect(life.refreshes).toBe(2);
  });
});

test("a call that lasts longer than its token continues with the next token, and sends no expired one", async () => {
  await connect(rotating, 5 * SECOND);
  const session = await life.session();
  expect(await life.call(session)).toBe(200);
  await life.world.pass(5 * SECOND);
  expect(await life.call(session)).toBe(200);
  await life.world.pass(60 * SECOND);
  expect(await Promise.all([life.call(session), life.call(session)])).toEqual([200, 200]);
  expect(life.refreshes).toBe(2);
  expect(life.refused).toBe(0);
});

describe("a grant that nobody uses", () => {
  test("leaves the due index after a week, costs nothing after that, and comes back with its next use", async () => {
    await connect(rotating);
    await life.pass(8 * DAY);
    const untilThen = life.refreshes;
    expect(life.stored).not.toHaveProperty("dueAt");
    await life.pass(90 * DAY);
    expect(life.refreshes).toBe(untilThen);
    expect(await life.call()).toBe(200);
    expect(life.refreshes).toBe(untilThen + 1);
    expect(life.stored.dueAt).toBeGreaterThan(life.world.now);
    await life.pass(HOUR);
    expect(life.refreshes).toBe(untilThen + 2);
  });

  test("is kept alive when its refresh token ends without use: by one refresh in half of that time", async () => {
    await connect(idle);
    await life.pass(8 * DAY);
    const untilThen = life.refreshes;
    expect(life.stored.dueAt).toBeGreaterThan(life.world.now + 5 * DAY);
    await life.pass(300 * DAY);
    expect(life.refreshes - untilThen).toBeGreaterThanOrEqual(18);
    expect(life.refreshes - untilThen).toBeLessThanOrEqual(22);
    expect(await life.call()).toBe(200);
    expect(life.refused).toBe(0);
  });

  test("is kept alive in the same way when the lifetime of its access token is unknown", async () => {
    const keepAlive = {
      ...unknown,
      oauth2: { ...unknown.oauth2, refreshToken: { rotates: false, idleLifetimeMs: 30 * DAY } },
    };
    life = await VendorLife.connect(keepAlive, ({ rules }) => {
      rules.unknown.idleMs = 30 * DAY;
    });
    await life.pass(90 * DAY);
    expect(life.refreshes).toBeGreaterThanOrEqual(5);
    expect(life.refreshes).toBeLessThanOrEqual(7);
    expect(await life.call()).toBe(200);
  });
});

describe("a long-lived token", () => {
  test("comes due at half of its lifetime, used or not, and so never ends", async () => {
    await connect(longlived);
    const due = (life.stored.dueAt ?? 0) - life.world.now;
    expect(due).toBeGreaterThan(26 * DAY);
    expect(due).toBeLessThan(34 * DAY);
    await life.pass(365 * DAY);
    expect(life.refreshes).toBeGreaterThanOrEqual(11);
    expect(life.refreshes).toBeLessThanOrEqual(13);
    expect(await life.call()).toBe(200);
  });

  test("that is younger than a day is not renewed, whoever asks", async () => {
    await connect(longlived);
    life.vendors.endConsents("longlived");
    const before = life.vendors.tokenRequests.length;
    expect(await life.call()).toBe(401);
    await life.work("unauthorized");
    await expect(force()).rejects.toMatchObject({
      status: 409,
      code: "not_renewable_yet",
      detail: {
        retryAfterSeconds: expect.toSatisfy((seconds: number) => seconds > 86_300 && seconds < 86_500),
      },
    });
    expect(life.vendors.tokenRequests).toHaveLength(before);
    await life.pass(DAY + 2 * MINUTE);
    await expect(life.call()).rejects.toMatchObject({ code: "needs_reauthentication" });
    expect(life.vendors.tokenRequests).toHaveLength(before + 1);
  });

  test("with a lifetime of only some hours is due at its minimum age", async () => {
    await connect(longlived, 30 * HOUR);
    expect((life.stored.dueAt ?? 0) - life.world.now).toBeGreaterThanOrEqual(DAY);
    await life.pass(10 * DAY);
    expect(life.refused).toBe(0);
    expect(await life.call()).toBe(200);
    expect(life.vendors.tokenRequests.length - 2).toBe(life.refreshes);
  });

  test("that has run out is tried once, and then needs a new sign-in", async () => {
    await connect(longlived);
    const { dueAt, ...lost } = life.stored;
    life.world.items.set(life.id, lost);
    await life.world.pass(61 * DAY);
    await expect(life.call()).rejects.toMatchObject({ code: "needs_reauthentication" });
    expect(needsReauthentication(life.stored)).toBe(true);
    await expect(life.call()).rejects.toMatchObject({ code: "needs_reauthentication" });
    expect(life.refreshes).toBe(1);
  });

  test("whose exchange failed is short-lived at first: it works at once, and the worker exchanges it minutes later", async () => {
    let isDown = true;
    life = await VendorLife.connect(longlived, (vendors) => {
      vendors.intervene = ({ path }) =>
        isDown && path === "/access_token" ? { status: 429, body: {} } : undefined;
    });
    expect(life.stored.plain).toMatchObject({ shortLived: true });
    expect(await life.call()).toBe(200);
    await life.pass(10 * MINUTE);
    expect(life.stored.plain).toMatchObject({ shortLived: true });
    expect(life.stored.lastError).toBe("vendor_refused_429");
    isDown = false;
    await life.pass(20 * MINUTE);
    expect(life.stored.plain).not.toHaveProperty("shortLived");
    expect((life.stored.dueAt ?? 0) - life.world.now).toBeGreaterThan(26 * DAY);
    expect(await life.call()).toBe(200);
  });

  test("whose exchange never succeeds needs a new sign-in when the short-lived token has run out", async () => {
    let isDown = true;
    life = await VendorLife.connect(longlived, (vendors) => {
      vendors.intervene = ({ path }) =>
        isDown && path === "/access_token"
          ? { status: 503, body: {}, headers: { "Retry-After": "60" } }
          : undefined;
    });
    await life.pass(HOUR);
    expect(await life.call().catch((error: unknown) => error)).toMatchObject({ code: "token_unavailable" });
    isDown = false;
    await life.pass(20 * MINUTE);
    expect(needsReauthentication(life.stored)).toBe(true);
    expect(life.refused).toBe(0);
  });

  test.each(["accessToken", "refreshToken"] as const)(
    "that is imported as %s is stored unchanged, and renewed when it has certainly reached its minimum age",
    async (given) => {
      await connect(longlived);
      const { accessToken } = life.stored.plain;
      await life.world.pass(20 * DAY);
      const { instance } = await importInstance(
        life.deps,
        {
          organizationId: "org",
          userId: "user",
          connector: longlived,
          client: { kind: "registered", appId: "app" },
          [given]: accessToken,
          expiresInMs: 60 * DAY,
          configuration: {},
          secretConfiguration: {},
          name: "Imported",
          tags: [],
        },
        life.world.call,
      );
      expect(life.refreshes).toBe(0);
      expect((instance.dueAt ?? 0) - life.world.now).toBeGreaterThan(DAY - MINUTE);
      expect((instance.dueAt ?? 0) - life.world.now).toBeLessThan(DAY + 2 * MINUTE);
      const { plain } = life.world.stored(instance.id);
      expect(plain).toMatchObject({ accessToken, refreshToken: accessToken });
      expect(plain).not.toHaveProperty("expiresAt");
    },
  );
});

describe("a vendor whose customers have their own hosts", () => {
  const connectPlaced = async () => {
    life = await VendorLife.connect(placed, undefined, { subdomain: "acme" });
    await Promise.all(life.world.after.splice(0));
  };
  const hosts = () => [...new Set(life.vendors.tokenRequests.map(({ host }) => host))];

  test("is called at the host from its answer, with its own client and its token in the query", async () => {
    await connectPlaced();
    expect(await life.call()).toBe(200);
    expect(life.stored.account).toEqual({ id: "placed-user@acme" });
    expect(life.stored.plain).toMatchObject({
      endpoint: { subdomain: "acme", client_id: "kinds-client" },
      extra: { api_host: "https://eu1.placed.vendor.example" },
    });
    await life.pass(2 * DAY);
    expect(await life.call()).toBe(200);
    expect(life.refreshes).toBeGreaterThan(40);
    expect(hosts()).toEqual(["acme.placed.vendor.example"]);
  });

  test("is called at the same host after a change of the configuration, and nowhere else", async () => {
    await connectPlaced();
    const { subdomain: _, ...configuration } = life.stored.configuration;
    life.world.items.set(life.id, { ...life.stored, configuration: { ...configuration, subdomain: "evil" } });
    await life.pass(DAY);
    expect(await life.call()).toBe(200);
    expect(hosts()).toEqual(["acme.placed.vendor.example"]);
    const session = await life.session();
    const elsewhere = {
      method: "GET",
      url: "https://evil.placed.vendor.example/me",
      headers: [],
      timeoutMs: 5_000,
    };
    await expect(session.send(elsewhere)).rejects.toThrow(/host/);
  });

  test("gets the revocation at the same host", async () => {
    await connectPlaced();
    const { plain } = life.stored;
    expect(await life.deps.tokens.revoke(placed, { id: "kinds-client", secret: "s" }, plain)).toBe(true);
    await expect(life.call()).rejects.toMatchObject({ code: "needs_reauthentication" });
  });

  test("with a foreign host in its answer is not called at all", async () => {
    await connectPlaced();
    const told = { ...life.stored.plain.extra, api_host: "https://evil.example" };
    const session = await life.session();
    expect((await session.endpoint()).origin).toBe("https://eu1.placed.vendor.example");
    expect(() => endpointOf(placed, { ...told, subdomain: "acme", client_id: "c" })).toThrow(
      /did not send a usable api_host/,
    );
  });
});
