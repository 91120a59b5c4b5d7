import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance } from "./app.ts";

/** ShareFile tells in the callback where its token endpoint and its API are. The callback is the browser's word. */

let platform: RunningPlatform;
let app: App;
let vendor: StandIn;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
  vendor = platform.vendors.sharefile as StandIn;
});
afterAll(() => platform?.close());
beforeEach(() => vendor.clearRequests());

const comeBack = async (): Promise<Record<string, string>> => {
  const { oauthUrl } = await app.authorizationUrl("sharefile");
  return Object.fromEntries((await app.consent("sharefile", oauthUrl)).searchParams);
};
const create = (providerData: object, configuration: object = {}) =>
  app.platform<CreatedInstance & { code?: string; detail?: { field?: string } }>("POST", "/instances", {
    element: { key: "sharefile" },
    providerData,
    configuration: { "oauth.callback.url": app.callbackUrl("sharefile"), ...configuration },
  });
const userOf = ({ token }: CreatedInstance) => app.hub(token, "GET", "/proxy/sf/v3/Users");
const codeRequests = () => vendor.tokenRequests("authorization_code");

describe("a sign-in at ShareFile", () => {
  it("goes to the account's own hosts, and so do refreshes and calls", async () => {
    const made = await create(await comeBack());
    expect(made.status).toBe(200);
    expect(await userOf(made.body)).toMatchObject({ status: 200, body: { Email: expect.any(String) } });
    vendor.expireAccessTokens();
    platform.clock.advance(2 * 60_000);
    expect((await userOf(made.body)).status).toBe(200);
    expect([codeRequests(), vendor.tokenRequests("refresh_token")]).toEqual([1, 1]);
    const sent = vendor.requests().filter(({ endpoint }) => endpoint !== "authorization");
    expect([...new Set(sent.map(({ host }) => host))]).toEqual(["acme.sf-api.com"]);
  });

  it.each([
    ["subdomain", "evil.example/"],
    ["subdomain", "evil.example#"],
    ["subdomain", "a.b"],
    ["apicp", "evil.example"],
    ["apicp", "sf-api.com.evil.example"],
  ])(
    "never sends the client's secret or the code where a forged callback says: %s=%s",
    async (key, value) => {
      const back = await comeBack();
      expect(await create({ ...back, [key]: value })).toMatchObject({
        status: 400,
        body: { detail: { field: `providerData.${key}` } },
      });
      expect(codeRequests()).toBe(0);
      // The code is not used up.
      expect((await create(back)).status).toBe(200);
    },
  );

  it("of an old client sends the code alone, and the subdomain in the configuration", async () => {
    const { code } = await comeBack();
    expect(await create({ code })).toMatchObject({
      status: 400,
      body: { detail: { field: "providerData.subdomain" } },
    });
    const made = await create({ code }, { "sharefile.subdomain": "acme" });
    expect(made.status).toBe(200);
    expect((await userOf(made.body)).status).toBe(200);
    const wrong = await create({ code: (await comeBack()).code }, { "sharefile.subdomain": "evil.example/" });
    expect([wrong.status, codeRequests()]).toEqual([400, 1]);
  });

  it("keeps its hosts when the configuration is changed afterwards", async () => {
    const { code } = await comeBack();
    const made = await create({ code }, { "sharefile.subdomain": "acme" });
    const changed = await app.platform("PATCH", `/instances/${made.body.id}`, {
      configuration: { "sharefile.subdomain": "globex" },
    });
    expect(changed.status).toBe(200);
    expect((await userOf(made.body)).status).toBe(200);
  });
});
