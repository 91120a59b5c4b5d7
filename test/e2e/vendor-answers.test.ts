import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { type Answer, App, type CreatedInstance } from "./app.ts";
import { scanTable, storedInstance } from "./tenants.ts";

interface Problem {
  readonly code: string;
  readonly id: number;
  readonly token: string;
}

const HOUR = 3_600_000;
const tokenPath = "/oauth2/token";

let platform: RunningPlatform;
let app: App;
let dropbox: StandIn;
beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
  dropbox = platform.vendors.dropbox as StandIn;
});
afterAll(() => platform.close());
beforeEach(() => dropbox.clearFaults());

async function freshCode(): Promise<Record<string, string>> {
  const { oauthUrl } = await app.authorizationUrl("dropbox");
  return Object.fromEntries((await app.consent("dropbox", oauthUrl)).searchParams);
}
const create = (
  providerData: Record<string, unknown>,
  configuration: Record<string, string> = {},
): Promise<Answer<Problem>> =>
  app.platform<Problem>("POST", "/instances", {
    element: { key: "dropbox" },
    name: "Answers",
    providerData,
    configuration,
  });
const answers = (body: string, more: object = {}) =>
  dropbox.fail({ path: tokenPath, status: 200, body, contentType: "application/json", ...more });
const ping = async ({ token }: { token: string }) =>
  (await app.hub<Problem>(token, "GET", "/hubs/documents/ping")).status;
const ids = async () =>
  [...(await scanTable(platform, "InstancesTable")).matchAll(/"instanceId":(\d+)/g)]
    .map(([, id]) => id)
    .sort();

async function connect(): Promise<CreatedInstance> {
  const instance = await app.connect("dropbox");
  await platform.settled();
  return instance;
}

describe("a vendor's refusal at a refresh", () => {
  it.each([
    ["with a byte order mark", { body: '\ufeff{"error":"invalid_grant"}', status: 400 }],
    [
      "as a form with the content type HTML",
      { body: "error=invalid_grant", status: 400, contentType: "text/html" },
    ],
    ["with another error code", { body: '{"status":"BAD_REFRESH_TOKEN"}', status: 400 }],
  ])("%s ends the grant", async (_, fault) => {
    const { id } = await connect();
    dropbox.fail({ path: tokenPath, contentType: "application/json", ...fault });
    const refresh = await app.platform<Problem>("POST", `/instances/${id}/refresh`);
    expect(refresh).toMatchObject({ status: 401, body: { code: "needs_reauthentication" } });
  });
});

describe("a refresh answer with an unusable refresh token", () => {
  it("does not replace the refresh token that works", async () => {
    const { id, token } = await connect();
    answers('{"access_token":"odd","refresh_token":false,"expires_in":60}');
    expect((await app.platform("POST", `/instances/${id}/refresh`)).status).toBe(200);
    platform.clock.advance(2 * 60_000);
    expect(await ping({ token })).toBe(200);
  });
});

describe("an access token that no header can carry", () => {
  it("creates no instance", async () => {
    const before = await ids();
    const providerData = await freshCode();
    answers('{"access_token":"line\\nbreak","refresh_token":"r","token_type":"bearer"}');
    expect(await create(providerData)).toMatchObject({
      status: 502,
      body: { code: "unusable_access_token" },
    });
    expect(await create({ access_token: "b\u0007ell" })).toMatchObject({
      status: 400,
      body: { code: "unusable_access_token" },
    });
    await platform.settled();
    expect(await ids()).toEqual(before);
  });

  it("works when only a line break at its end must be removed", async () => {
    expect((await create({ access_token: " token\r\n" })).status).toBe(200);
  });
});

describe("whitespace and parameters that a paste or a browser adds", () => {
  it("are removed from code, state and the client's values", async () => {
    const { code, state } = await freshCode();
    const made = await create(
      { code: `\n ${code}\r\n`, state: `${state} ` },
      { "oauth.callback.url": ` ${app.callbackUrl("dropbox")}\n` },
    );
    expect(made.status).toBe(200);
    expect(await ping(made.body)).toBe(200);
  });

  it("are removed from an authorization URL's client and callback URL", async () => {
    const { oauthUrl } = await app.authorizationUrl("dropbox", {
      apiKey: " my-client\n",
      callbackUrl: `${app.callbackUrl("dropbox")} `,
    });
    const asked = new URL(oauthUrl).searchParams;
    expect(asked.get("client_id")).toBe("my-client");
    expect(asked.get("redirect_uri")).toBe(app.callbackUrl("dropbox"));
  });

  it("are ignored when there are too many or too long ones", async () => {
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`extra${n}`, "x"]));
    expect((await create({ ...(await freshCode()), ...many })).status).toBe(200);
    expect((await create({ ...(await freshCode()), long: "x".repeat(3_000) })).status).toBe(200);
  });
});

describe("a firewall in front of the token endpoint", () => {
  it.each([
    [403, "<html>Access denied</html>", "text/html"],
    [408, "", "text/plain"],
  ])("answers %i, and the code and state can be used again", async (status, body, contentType) => {
    const providerData = await freshCode();
    dropbox.fail({ path: tokenPath, status, body, contentType });
    expect(await create(providerData)).toMatchObject({ status: 503, body: { code: "vendor_unavailable" } });
    expect((await create(providerData)).status).toBe(200);
  });
});

describe("a vendor's Retry-After of a year", () => {
  it("counts for an hour at most, and our own answer says no more", async () => {
    const { id } = await connect();
    const year = { status: 429, body: "{}", headers: { "Retry-After": "31536000" } };
    dropbox.fail({ path: tokenPath, ...year });
    const refresh = await app.platform<Problem>("POST", `/instances/${id}/refresh`);
    expect(Number(refresh.headers.get("retry-after"))).toBeLessThanOrEqual(3_600);
    const status = await app.platform<{ nextRefreshAt: string }>("GET", `/instances/${id}/status`);
    const next = Date.parse(status.body.nextRefreshAt);
    const { retryAt } = (await storedInstance(platform, id)) as unknown as { retryAt: number };
    expect(next).toBeGreaterThanOrEqual(Math.floor(retryAt / 1000) * 1000);
    expect(retryAt - platform.clock.now()).toBeLessThanOrEqual(HOUR + 5_000);
  });
});

describe("the hub", () => {
  it("reads JSON with a byte order mark, or with another content type", async () => {
    const instance = await connect();
    const storage = JSON.stringify({ used: 5, allocation: { ".tag": "individual", allocated: 10 } });
    for (const [contentType, text] of [
      ["text/plain", `\ufeff\n${storage}\n`],
      ["application/octet-stream", storage],
    ] as const) {
      dropbox.fail({ endpoint: "api", status: 200, body: text, contentType });
      const answer = await app.hub(instance.token, "GET", "/hubs/documents/storage");
      expect(answer).toMatchObject({ status: 200 });
    }
  });
});

describe("five deletes at the same time", () => {
  it("make one revocation", async () => {
    const { id } = await connect();
    dropbox.clearRequests();
    const deleted = await Promise.all(
      Array.from({ length: 5 }, () => app.platform("DELETE", `/instances/${id}`)),
    );
    expect(deleted.some(({ status }) => status === 200)).toBe(true);
    await platform.settled();
    expect(await storedInstance(platform, id)).toBeUndefined();
    const paths = dropbox.requests().map(({ path }) => path);
    expect(paths.filter((path) => path.endsWith("/auth/token/revoke"))).toHaveLength(1);
  });
});
