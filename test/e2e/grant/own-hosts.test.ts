import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FormBrowser } from "../../form-browser.ts";
import { discovered, placed } from "../../vendor-kinds/connectors.ts";
import { type Answer, type CreatedInstance, passVendor } from "../app.ts";
import { operatorOf } from "../tenants.ts";
import { GrantLab, MINUTE } from "./lab.ts";

/** Vendors whose customers have hosts of their own: where they are signed in to, refreshed, called and revoked. */

type Refusal = { readonly code?: string; readonly message?: string; readonly detail?: { field?: string } };

const RETURN_URL = "https://app.example/back";
const server = "cloud.discovered.vendor.example";
const ownHosts = {
  placed: {
    connector: placed,
    configuration: { subdomain: "acme" },
    signsInAt: "acme.placed.vendor.example",
  },
  discovered: {
    connector: discovered,
    configuration: { server },
    signsInAt: "login.discovered.vendor.example",
  },
} as const;
type Vendor = keyof typeof ownHosts;

let lab: GrantLab;
beforeAll(async () => {
  lab = await GrantLab.start();
  const admin = operatorOf(lab.platform);
  const [organization] = await admin.listOrganizations();
  await admin.setAllowLists(organization?.id ?? "", {
    returnUrls: [RETURN_URL],
    vendorHosts: ["auth.corp.example"],
  });
});
afterAll(() => lab.close());
afterEach(() => {
  lab.kinds.metadata = {};
});

const callback = (vendor: Vendor) => `https://app.example/callback/${vendor}`;
const askUrl = (vendor: Vendor, more: object = {}): Promise<Answer<Refusal & { oauthUrl: string }>> =>
  lab.app.platform("POST", `/elements/${vendor}/oauth/url`, {
    callbackUrl: callback(vendor),
    configuration: ownHosts[vendor].configuration,
    ...more,
  });
/** A user's browser at the vendor, up to the app's callback. */
const comeBack = async (vendor: Vendor, oauthUrl: string): Promise<URLSearchParams> => {
  const browser = new FormBrowser({ stopAt: (url) => url.startsWith(callback(vendor)) });
  return new URL((await passVendor(browser, await browser.open(oauthUrl))).url).searchParams;
};
const create = (
  vendor: Vendor,
  providerData: object,
  configuration: object = {},
): Promise<Answer<CreatedInstance & Refusal>> =>
  lab.app.platform("POST", "/instances", {
    element: { key: vendor },
    providerData,
    configuration: { ...configuration, "oauth.callback.url": callback(vendor) },
  });
async function connect(vendor: Vendor): Promise<CreatedInstance> {
  const { oauthUrl } = (await askUrl(vendor)).body;
  const answer = await create(vendor, Object.fromEntries(await comeBack(vendor, oauthUrl)));
  expect(answer).toMatchObject({ status: 200 });
  await lab.platform.settled();
  return answer.body;
}
const me = (token: string) => lab.app.hub(token, "GET", "/proxy/me");
const requestsOf = (vendor: Vendor) => lab.kinds.tokenRequests.filter(({ kind }) => kind === vendor);
const hostsOf = (vendor: Vendor) => [...new Set(requestsOf(vendor).map(({ host }) => host))];

describe.each(["placed", "discovered"] as const)(
  "a vendor whose customers have hosts of their own (%s)",
  (vendor) => {
    const { signsInAt, configuration } = ownHosts[vendor];

    it("is signed in to, refreshed, called and revoked at the customer's hosts", async () => {
      lab.kinds.tokenRequests.length = 0;
      const instance = await connect(vendor);
      expect((await me(instance.token)).status).toBe(200);
      lab.platform.clock.advance(70 * MINUTE);
      await lab.sweep();
      expect((await me(instance.token)).status).toBe(200);
      expect(requestsOf(vendor).map(({ fields }) => fields.grant_type)).toEqual([
        "authorization_code",
        "refresh_token",
      ]);
      expect((await lab.app.platform("DELETE", `/instances/${instance.id}`)).status).toBe(200);
      await lab.platform.settled();
      expect(requestsOf(vendor).at(-1)).toMatchObject({ path: "/revoke" });
      expect(hostsOf(vendor)).toEqual([signsInAt]);
    });

    it("is told where only once: in the authorization URL, or with the code of an app's own state", async () => {
      const { oauthUrl } = (await askUrl(vendor)).body;
      const { code, iss } = Object.fromEntries(await comeBack(vendor, oauthUrl));
      const withoutState = { code, ...(iss === undefined ? {} : { iss }) };
      const key = Object.keys(configuration)[0];
      expect(await create(vendor, withoutState)).toMatchObject({
        status: 400,
        body: { detail: { field: `configuration.${key}` } },
      });
      expect(await create(vendor, withoutState, configuration)).toMatchObject({ status: 200 });
    });

    it("is signed in to by a connect session, and again by one that names the instance alone", async () => {
      const throughSession = async (body: object): Promise<Answer<CreatedInstance>> => {
        const session = await lab.app.platform<{ id: string; connectUrl: string }>(
          "POST",
          "/connect/sessions",
          {
            returnUrl: RETURN_URL,
            endUser: "user-1",
            ...body,
          },
        );
        expect(session).toMatchObject({ status: 200 });
        const browser = new FormBrowser({ stopAt: (url) => url.startsWith(RETURN_URL) });
        const page = await browser.open(session.body.connectUrl);
        const back = new URL((await passVendor(browser, await browser.submit(page, /continue with/i))).url);
        expect(Object.fromEntries(back.searchParams)).toHaveProperty("claim");
        return await lab.app.platform("POST", `/connect/sessions/${session.body.id}/claim`, {
          claim: back.searchParams.get("claim"),
          endUser: "user-1",
        });
      };
      const made = await throughSession({ element: { key: vendor }, configuration });
      expect(made).toMatchObject({ status: 200 });
      await lab.platform.settled();
      lab.kinds.endConsents(vendor);
      const again = await throughSession({ instanceId: made.body.id });
      expect(again).toMatchObject({ status: 200, body: { id: made.body.id } });
      expect((await me(made.body.token)).status).toBe(200);
      expect(hostsOf(vendor)).toEqual([signsInAt]);
    });
  },
);

describe("a vendor that tells its URLs in a metadata document", () => {
  it("is asked for it once by each process, by RFC 8414 first", async () => {
    lab.kinds.documentReads.length = 0;
    await lab.kill("Connections");
    await connect("discovered");
    await connect("discovered");
    expect(lab.kinds.documentReads).toEqual([
      "/.well-known/oauth-authorization-server",
      "/.well-known/openid-configuration",
    ]);
  });

  it("is not signed in to with another issuer's answer, or with one that lacks the promised iss", async () => {
    const { oauthUrl } = (await askUrl("discovered")).body;
    const { iss, ...back } = Object.fromEntries(await comeBack("discovered", oauthUrl));
    expect(iss).toBe(`https://${server}`);
    for (const wrong of [{}, { iss: "https://evil.example" }]) {
      expect(await create("discovered", { ...back, ...wrong })).toMatchObject({
        status: 400,
        body: { code: "invalid_issuer", detail: { field: "providerData.iss" } },
      });
    }
    expect(await create("discovered", { ...back, iss })).toMatchObject({ status: 200 });
  });

  it("whose server is on no list is refused, and not asked", async () => {
    lab.kinds.documentReads.length = 0;
    expect(await askUrl("discovered", { configuration: { server: "evil.vendor.example" } })).toMatchObject({
      status: 400,
      body: { code: "host_not_allowed", detail: { field: "configuration.server" } },
    });
    expect(lab.kinds.documentReads).toEqual([]);
  });
});
