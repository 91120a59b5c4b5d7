import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App } from "./app.ts";

interface Status {
  readonly valid: boolean;
  readonly expiresAt: string;
  readonly lastRefreshedAt: string | null;
  readonly nextRefreshAt: string | null;
}

const HOUR = 3_600_000;

let platform: RunningPlatform;
let app: App;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
});
afterAll(() => platform.close());
beforeEach(() => {
  platform.frontDoor.clearFaults();
  for (const vendor of Object.values(platform.vendors)) {
    vendor.clearFaults();
    vendor.clearRequests();
  }
});

/** Requests that carried a refresh token to the vendor's token endpoint since the last clear. */
function refreshes(connector: string): number {
  const path = connector === "dropbox" ? "/oauth2/token" : "/token";
  return (
    platform.vendors[connector]?.requests().filter((request) => request.path.split("?")[0] === path).length ??
    0
  );
}

const list = (token: string) => app.hub<unknown[]>(token, "GET", "/hubs/documents/folders/contents?path=/");

describe.each(["dropbox", "googledrive"])("a grant of %s", (connector) => {
  it("is refreshed by the schedule (sweep, queue and worker) at three quarters of its life", async () => {
    const instance = await app.connect(connector);
    const before = (await app.platform<Status>("GET", `/instances/${instance.id}/status`)).body;
    platform.vendors[connector]?.clearRequests();

    platform.clock.advance(0.85 * (Date.parse(before.expiresAt) - platform.clock.now()));
    await platform.sweep();
    await platform.settled();

    const after = (await app.platform<Status>("GET", `/instances/${instance.id}/status`)).body;
    expect(Date.parse(after.expiresAt)).toBeGreaterThan(Date.parse(before.expiresAt));
    expect(Date.parse(after.lastRefreshedAt ?? "")).toBeGreaterThan(Date.parse(before.expiresAt) - 4 * HOUR);
    expect(refreshes(connector)).toBe(1);

    await platform.sweep();
    await platform.settled();
    expect(refreshes(connector)).toBe(1);
    expect((await list(instance.token)).status).toBe(200);
  });

  it("is refreshed once, just in time, when many calls find it expired", async () => {
    const instance = await app.connect(connector);
    platform.vendors[connector]?.clearRequests();
    platform.clock.advance(5 * HOUR);

    const answers = await Promise.all(Array.from({ length: 12 }, () => list(instance.token)));

    expect(answers.map((answer) => answer.status)).toEqual(Array(12).fill(200));
    expect(refreshes(connector)).toBe(1);
  });

  it("is refreshed when the vendor refuses a token that should be valid, and the call is sent again", async () => {
    const instance = await app.connect(connector);
    platform.clock.advance(2 * 60_000);
    platform.vendors[connector]?.clearRequests();
    platform.vendors[connector]?.expireAccessTokens();

    expect((await list(instance.token)).status).toBe(200);
    expect(refreshes(connector)).toBe(1);
  });

  it("serves the valid token while the token endpoint is down", async () => {
    const instance = await app.connect(connector);
    const before = (await app.platform<Status>("GET", `/instances/${instance.id}/status`)).body;
    platform.vendors[connector]?.fail({
      path: connector === "dropbox" ? "/oauth2/token" : "/token",
      status: 503,
      count: 100,
    });
    platform.clock.advance(Date.parse(before.expiresAt) - platform.clock.now() - 10 * 60_000);
    await platform.sweep();
    await platform.settled();

    expect((await list(instance.token)).status).toBe(200);

    platform.vendors[connector]?.clearFaults();
    platform.clock.advance(9 * 60_000 + 55_000);
    expect((await list(instance.token)).status).toBe(200);
  });

  it("answers needs_reauthentication when the vendor has ended the grant, asks the vendor once, and works after a new sign-in", async () => {
    const instance = await app.connect(connector);
    platform.vendors[connector]?.clearRequests();
    platform.vendors[connector]?.revokeGrants();
    platform.clock.advance(5 * HOUR);

    const refused = await app.hub<{ code: string }>(
      instance.token,
      "GET",
      "/hubs/documents/folders/contents?path=/",
    );
    expect([refused.status, refused.body.code]).toEqual([401, "needs_reauthentication"]);
    await list(instance.token);
    expect(refreshes(connector)).toBe(1);
    expect((await app.platform<Status>("GET", `/instances/${instance.id}/status`)).body.valid).toBe(false);

    const { oauthUrl } = await app.authorizationUrl(connector);
    const back = await app.consent(connector, oauthUrl);
    const again = await app.platform<{ id: number }>("PATCH", `/instances/${instance.id}`, {
      providerData: { code: back.searchParams.get("code"), state: back.searchParams.get("state") },
    });
    expect([again.status, again.body.id]).toEqual([200, instance.id]);
    expect((await list(instance.token)).status).toBe(200);
  });
});

it("uses the queue: the sweep sends each due instance to SQS and the worker receives it", async () => {
  const instance = await app.connect("dropbox");
  platform.clock.advance(3.6 * HOUR);
  platform.frontDoor.clearCalls();
  await platform.sweep();
  await platform.settled();

  const calls = platform.frontDoor.calls();
  expect(
    calls.some(
      (call) => call.principal === "RefreshSweep" && call.action === "sqs:SendMessage" && call.status === 200,
    ),
  ).toBe(true);
  expect(
    calls.some(
      (call) =>
        call.principal === "RefreshWorker" && call.action === "dynamodb:UpdateItem" && call.status === 200,
    ),
  ).toBe(true);
  expect(calls.some((call) => call.principal === "RefreshSweep" && call.action === "kms:Decrypt")).toBe(
    false,
  );
  await app.platform("DELETE", `/instances/${instance.id}`);
});
