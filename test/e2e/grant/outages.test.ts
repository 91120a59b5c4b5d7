import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isRefresh } from "../../vendor-kinds/gate.ts";
import type { CreatedInstance } from "../app.ts";
import { GrantLab, HOUR, type Kind, MINUTE, SECOND } from "./lab.ts";

let lab: GrantLab;
beforeAll(async () => {
  lab = await GrantLab.start();
});
afterAll(() => lab.close());
beforeEach(() => lab.clear());

const json = (status: number, body: unknown) => ({
  status,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});
const DOWN = { status: 503, headers: { "Content-Type": "text/html" }, body: "<h1>Sorry</h1>" };

/** Lets a minute of the platform's time pass, runs a sweep and makes a call; returns the call's status. */
async function minute(instance: CreatedInstance): Promise<number> {
  lab.platform.clock.advance(MINUTE);
  await lab.sweep();
  return (await lab.me(instance)).status;
}

describe.each<Kind>(["strict", "steady"])(
  "a token endpoint that answers 503 at a vendor that is %s",
  { timeout: 90_000 },
  (kind) => {
    it("once, is asked again before the access token has run out", async () => {
      const { gate } = lab.vendors[kind];
      const instance = await lab.app.connect(kind);
      lab.platform.clock.advance(50 * MINUTE);
      gate.clear();
      gate.answer(isRefresh, DOWN, 1);
      const statuses: number[] = [];
      for (let minutes = 0; minutes < 9; minutes++) statuses.push(await minute(instance));
      expect(statuses).toEqual(Array(9).fill(200));
      expect(Date.parse((await lab.status(instance)).expiresAt)).toBeGreaterThan(
        lab.platform.clock.now() + 50 * MINUTE,
      );
    });

    it("for an hour, fails no call while the token is valid, gets few requests, and works as soon as it answers again", async () => {
      const { gate } = lab.vendors[kind];
      const instance = await lab.app.connect(kind);
      lab.platform.clock.advance(50 * MINUTE);
      gate.clear();
      gate.answer(isRefresh, DOWN);
      const statuses: number[] = [];
      for (let minutes = 0; minutes < 60; minutes++) {
        // Once the token has run out, each caller waits 8 s at a rotating vendor, so two such calls are enough.
        if (minutes < 9 || minutes === 20 || minutes === 40) statuses.push(await minute(instance));
        else {
          lab.platform.clock.advance(MINUTE);
          await lab.sweep();
        }
      }
      expect(statuses.slice(0, 9)).toEqual(Array(9).fill(200));
      expect(statuses.slice(9)).toEqual([503, 503]);
      // Fewer than one request a minute by the schedule and one by each caller.
      expect(lab.vendors[kind].refreshes()).toBeLessThan(30);

      gate.clear();
      lab.platform.clock.advance(2 * MINUTE);
      expect((await lab.me(instance)).status).toBe(200);
      expect((await lab.status(instance)).lastError).toBeNull();
    });
  },
);

describe("a vendor that refuses the client itself", () => {
  it("for an hour gets a few requests, not one for each grant, and no grant is lost", async () => {
    const { gate } = lab.vendors.strict;
    const instances: CreatedInstance[] = [];
    for (let count = 0; count < 6; count++) instances.push(await lab.app.connect("strict"));
    lab.platform.clock.advance(46 * MINUTE);
    gate.clear();
    gate.answer(isRefresh, json(401, { error: "invalid_client" }));
    for (let minutes = 0; minutes < 60; minutes++) {
      lab.platform.clock.advance(MINUTE);
      await lab.sweep();
    }
    // The first batch may have been sent before the refusal was known; then one probe every five minutes.
    expect(lab.vendors.strict.refreshes()).toBeLessThanOrEqual(10 + 60 / 5 + 1);
    expect(lab.vendors.strict.refreshes()).toBeGreaterThan(5);

    gate.clear();
    for (let minutes = 0; minutes < 15; minutes++) {
      lab.platform.clock.advance(MINUTE);
      await lab.sweep();
    }
    for (const instance of instances) {
      expect((await lab.status(instance)).valid).toBe(true);
      expect((await lab.me(instance)).status).toBe(200);
    }
    expect(lab.vendors.strict.mostSent()).toBe(1);
  });

  it("does not get a request for each of many callers whose tokens have run out either", async () => {
    const { gate } = lab.vendors.strict;
    const instances: CreatedInstance[] = [];
    for (let count = 0; count < 8; count++) instances.push(await lab.app.connect("strict"));
    await lab.platform.settled();
    lab.platform.clock.advance(HOUR);
    gate.clear();
    gate.answer(isRefresh, json(401, { error: "invalid_client" }));
    for (let minutes = 0; minutes < 10; minutes++) {
      for (const instance of instances) {
        const { status, body } = await lab.me(instance);
        expect([status, body.code]).toEqual([503, "token_unavailable"]);
      }
      lab.platform.clock.advance(MINUTE);
    }
    expect(lab.vendors.strict.refreshes()).toBeLessThanOrEqual(3);

    gate.clear();
    lab.platform.clock.advance(5 * MINUTE);
    for (const instance of instances) expect((await lab.me(instance)).status).toBe(200);
  });
});

describe("an app's own client whose secret has changed", () => {
  it("does not stop the refreshes of the registered client", async () => {
    const { gate } = lab.vendors.steady;
    const { oauthUrl } = await lab.app.authorizationUrl("steady");
    const { searchParams } = await lab.app.consent("steady", oauthUrl);
    const made = await lab.app.platform<CreatedInstance>("POST", "/instances", {
      element: { key: "steady" },
      providerData: { code: searchParams.get("code") },
      configuration: {
        "oauth.api.key": "steady-client",
        "oauth.api.secret": "steady-secret",
        "oauth.callback.url": "https://app.example/callback/steady",
      },
    });
    expect(made.status).toBe(200);
    const registered = await lab.connectExpired("steady");
    gate.answer(isRefresh, json(401, { error: "invalid_client" }), 1);
    expect((await lab.me(made.body)).status).toBe(503);
    expect((await lab.me(registered)).status).toBe(200);
  });
});

describe("a token of any lifetime", () => {
  it.each([60, 600, 3_600, 86_400])("of %i s is refreshed at most once in ten calls", async (seconds) => {
    const dropbox = lab.platform.vendors.dropbox;
    dropbox?.setAccessTokenLifetime(seconds);
    const instance = await lab.app.connect("dropbox");
    dropbox?.clearRequests();
    for (let calls = 0; calls < 10; calls++) {
      lab.platform.clock.advance((seconds * SECOND) / 11);
      expect((await lab.app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(200);
    }
    expect(dropbox?.tokenRequests("refresh_token")).toBeLessThanOrEqual(1);

    lab.platform.clock.advance(3 * seconds * SECOND);
    expect((await lab.app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(200);
    dropbox?.setAccessTokenLifetime(4 * 3_600);
    await lab.app.platform("DELETE", `/instances/${instance.id}`);
    // The deletion uses the refresh token once more; wait for that, so that the next case does not count it.
    await lab.platform.settled();
  });

  it("of 5 s works for every call, and is refreshed once each time it runs out", async () => {
    const dropbox = lab.platform.vendors.dropbox;
    dropbox?.setAccessTokenLifetime(5);
    const instance = await lab.app.connect("dropbox");
    dropbox?.clearRequests();
    for (let calls = 0; calls < 10; calls++) {
      lab.platform.clock.advance(SECOND);
      expect((await lab.app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(200);
    }
    expect(dropbox?.tokenRequests("refresh_token")).toBeLessThanOrEqual(5);
    dropbox?.setAccessTokenLifetime(4 * 3_600);
  });
});

describe("a grant that nobody uses", () => {
  it("costs no refreshes after a week when its refresh token does not end without use, and works when it is used again", async () => {
    const dropbox = lab.platform.vendors.dropbox;
    const instance = await lab.app.connect("dropbox");
    for (let day = 0; day < 8; day++) {
      lab.platform.clock.advance(24 * HOUR);
      await lab.sweep();
    }
    dropbox?.clearRequests();
    for (let week = 0; week < 20; week++) {
      lab.platform.clock.advance(7 * 24 * HOUR);
      await lab.sweep();
    }
    expect(dropbox?.tokenRequests("refresh_token")).toBe(0);
    expect((await lab.app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(200);
    expect(dropbox?.tokenRequests("refresh_token")).toBe(1);
  });

  it("is refreshed at half of its idle time when its refresh token ends without use", async () => {
    const google = lab.platform.vendors.googledrive;
    const instance = await lab.app.connect("googledrive");
    for (let day = 0; day < 8; day++) {
      lab.platform.clock.advance(24 * HOUR);
      await lab.sweep();
    }
    google?.clearRequests();
    for (let week = 0; week < 53; week++) {
      lab.platform.clock.advance(7 * 24 * HOUR);
      await lab.sweep();
    }
    // One year, with an idle time of 180 days.
    expect(google?.tokenRequests("refresh_token")).toBeGreaterThanOrEqual(3);
    expect(google?.tokenRequests("refresh_token")).toBeLessThanOrEqual(5);
    expect((await lab.app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(200);
  });
});
