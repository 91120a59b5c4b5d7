import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FormBrowser } from "../form-browser.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { type Answer, App, type CreatedInstance, passVendor } from "./app.ts";
import { appOfAnotherOrganization, appOfAnotherUser, operatorOf } from "./tenants.ts";

interface Problem {
  readonly code: string;
  readonly message: string;
  readonly detail?: { readonly field?: string };
}
interface Proxy {
  readonly id: number;
  readonly name: string;
  readonly applicationUrls: readonly string[];
}

/** An app's own place, with a value that it checks when its user comes back. */
const APP_URL = "https://eu.app.example/done?nonce=7";
let platform: RunningPlatform;
let app: App;
let proxy: Proxy;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
  proxy = (await app.platform<Proxy>("POST", "/elements/oauthProxies", { name: "apps" })).body;
  await addUrl("https://*.app.example/done*");
});
afterAll(() => platform?.close());

const addUrl = (url: string, of = app, id = proxy.id) =>
  of.platform<Proxy & Problem>(
    "POST",
    `/elements/oauthProxies/${id}/applicationUrl?applicationUrl=${encodeURIComponent(url)}`,
  );

/** GET oauth/url as old clients call it, through the proxy. */
function urlOf<T = { oauthUrl: string } & Problem>(
  query: Record<string, string> = {},
  options: { connector?: string; authorization?: string | undefined } = {},
): Promise<Answer<T>> {
  const { connector = "dropbox" } = options;
  const authorization = "authorization" in options ? options.authorization : app.platformAuthorization;
  const all = { isOauthProxy: "true", oauthProxyName: "apps", state: APP_URL, ...query };
  return app.call<T>("GET", `/elements/${connector}/oauth/url?${new URLSearchParams(all)}`, {
    ...(authorization === undefined ? {} : { authorization }),
  });
}

const atApp = (url: string) => url.startsWith("https://") && url.includes("app.example/");

/** Signs in at the vendor; ends where the proxy sends the browser, or at the proxy's own page. */
async function signIn(oauthUrl: string, options: { allow?: boolean } = {}) {
  const browser = new FormBrowser({ stopAt: atApp });
  return await passVendor(browser, await browser.open(oauthUrl), options);
}

/** The vendor's redirect to our callback, not yet followed. */
async function vendorRedirect(connector = "dropbox", query: Record<string, string> = {}): Promise<URL> {
  const { body } = await urlOf(query, { connector });
  const browser = new FormBrowser({ stopAt: (url) => url.includes("/oauth/callback/") });
  return new URL((await passVendor(browser, await browser.open(body.oauthUrl))).url);
}

const open = (url: URL | string) => fetch(url, { redirect: "manual", signal: AbortSignal.timeout(20_000) });

const changed = (url: URL, change: (params: URLSearchParams) => void): URL => {
  const copy = new URL(url);
  change(copy.searchParams);
  return copy;
};

describe("an app behind an OAuth proxy", () => {
  it.each(["dropbox", "googledrive"])(
    "gets its user back with the code and its own state, and connects %s",
    async (connector) => {
      const { body } = await urlOf({}, { connector });
      const sent = new URL(body.oauthUrl).searchParams;
      expect(sent.get("redirect_uri")).toBe(`${app.settings.baseUrl}/oauth/callback/${connector}`);
      expect(sent.get("state")).toMatch(/^ls_/);
      expect(body.oauthUrl).not.toContain("app.example");
      const back = new URL((await signIn(body.oauthUrl)).url);
      expect([back.origin + back.pathname, back.searchParams.get("nonce")]).toEqual([
        "https://eu.app.example/done",
        "7",
      ]);
      expect(back.searchParams.get("state")).toBe(APP_URL);
      const made = await app.platform<CreatedInstance>("POST", "/instances", {
        element: { key: connector },
        providerData: { code: back.searchParams.get("code"), state: back.searchParams.get("state") },
        configuration: { "oauth.callback.url": "https://original.example/oauth" },
        name: "Proxied",
      });
      expect(made.status).toBe(200);
      expect((await app.hub(made.body.token, "GET", "/hubs/documents/ping")).status).toBe(200);
      expect(made.body.configuration).toMatchObject({
        "oauth.callback.url": `${app.settings.baseUrl}/oauth/callback/${connector}`,
      });
    },
  );

  it("uses the POST form, and signs in again to an instance", async () => {
    const begin = () =>
      app.platform<{ oauthUrl: string; state: string }>("POST", "/elements/dropbox/oauth/url", {
        isOauthProxy: true,
        oauthProxyName: "apps",
        state: APP_URL,
      });
    const { body } = await begin();
    expect(body.state).toBe(APP_URL);
    const code = new URL((await signIn(body.oauthUrl)).url).searchParams.get("code");
    const made = await app.platform<CreatedInstance>("POST", "/instances", {
      element: { key: "dropbox" },
      providerData: { code },
    });
    expect(made.status).toBe(200);
    const again = new URL((await signIn((await begin()).body.oauthUrl)).url).searchParams.get("code");
    const patched = await app.platform("PATCH", `/instances/${made.body.id}`, {
      providerData: { code: again },
    });
    expect(patched.status).toBe(200);
  });

  it("is told when the user refuses", async () => {
    const back = new URL((await signIn((await urlOf()).body.oauthUrl, { allow: false })).url);
    expect(back.searchParams.get("error")).toBe("access_denied");
    expect(back.searchParams.get("state")).toBe(APP_URL);
    expect(back.searchParams.has("code")).toBe(false);
  });

  it("gets the same redirect again when the browser repeats the callback", async () => {
    const url = await vendorRedirect();
    const [one, two] = [await open(url), await open(url)];
    expect([one.status, two.status]).toEqual([303, 303]);
    expect(two.headers.get("location")).toBe(one.headers.get("location"));
  });

  it("lists, deletes and limits its proxies and their URLs", async () => {
    const path = "/elements/oauthProxies";
    const made = await app.platform<Proxy>("POST", path, { name: " second " });
    expect(made.body).toMatchObject({ name: "second", applicationUrls: [], id: expect.any(Number) });
    expect((await app.platform("POST", path, { name: "second" })).status).toBe(409);
    expect((await app.platform<Proxy[]>("GET", path)).body.map(({ name }) => name).toSorted()).toEqual([
      "apps",
      "second",
    ]);
    const { id } = made.body;
    const urls = ["https://a.example/", "https://b.example/", "https://c.example/"];
    const added = await Promise.all([...urls, ...urls].map((url) => addUrl(url, app, id)));
    expect(added.map(({ status }) => status)).toEqual(urls.concat(urls).map(() => 200));
    const [listed] = (await app.platform<Proxy[]>("GET", path)).body.filter((each) => each.id === id);
    expect(listed?.applicationUrls.toSorted()).toEqual(urls);
    const remove = `${path}/${id}/applicationUrl?applicationUrl=${encodeURIComponent("https://b.example/")}`;
    expect((await app.platform<Proxy>("DELETE", remove)).body.applicationUrls).toHaveLength(2);
    expect((await app.platform("DELETE", `${path}/${id}`)).status).toBe(200);
    expect((await app.platform<Problem>("DELETE", `${path}/${id}`)).body.code).toBe("unknown_oauth_proxy");
    expect((await app.platform<Problem>("POST", path, {})).body.detail?.field).toBe("name");
  });
});

describe("the app's own URL", () => {
  it("keeps its query as the app wrote it, a state of its own too", async () => {
    for (const state of [
      "https://eu.app.example/done?sig=a%20b&flag&list=1;2",
      "https://eu.app.example/done?state=csrf123",
    ]) {
      const { body } = await urlOf({ state });
      const { url } = await signIn(body.oauthUrl);
      expect(url.startsWith(`${state}&code=`), url).toBe(true);
      expect(new URL(url).searchParams.getAll("state")).toEqual([
        state.includes("csrf123") ? "csrf123" : state,
      ]);
    }
  });

  it("is refused before the sign-in if the user could not return to it", async () => {
    for (const state of [
      `https://eu.app.example/done?x=${"é".repeat(1500)}`,
      `https://eu.app.example/done?x=${"a".repeat(5200)}`,
      "https://eu.app.example/done?code=promo",
    ]) {
      const { status, body } = await urlOf({ state });
      expect([status, body.detail?.field]).toEqual([400, "state"]);
    }
    const long = `https://eu.app.example/done?x=${"a".repeat(2000)}`;
    const { url } = await signIn((await urlOf({ state: long })).body.oauthUrl);
    expect(url.startsWith(`${long}&code=`)).toBe(true);
  });
});

describe("a list of application URLs", () => {
  it("takes another spelling of an entry for the entry", async () => {
    const path = `/elements/oauthProxies/${proxy.id}/applicationUrl?applicationUrl=`;
    await addUrl("https://spell.example/cb");
    const again = await addUrl("https://SPELL.example:443/cb");
    expect(again.body.applicationUrls.filter((url) => /spell/i.test(url))).toHaveLength(1);
    const removed = await app.platform<Proxy>(
      "DELETE",
      path + encodeURIComponent("https://SPELL.example/cb"),
    );
    expect(removed.body.applicationUrls.filter((url) => /spell/i.test(url))).toEqual([]);
  });

  it("allows no encoded slash after a star", async () => {
    const { status, body } = await urlOf({ state: "https://eu.app.example/done/..%2f..%2fother" });
    expect([status, body.code]).toEqual([400, "application_url_not_allowed"]);
  });
});

describe("a new sign-in with the whole instance, as it was read", () => {
  it("uses the redirect URI of its own authorization, not that of the earlier sign-in", async () => {
    const first = new URL((await signIn((await urlOf()).body.oauthUrl)).url).searchParams.get("code");
    const { body: made } = await app.platform<CreatedInstance>("POST", "/instances", {
      element: { key: "dropbox" },
      providerData: { code: first },
    });
    const callbackUrl = app.callbackUrl("dropbox");
    const asked = await app.platform<{ oauthUrl: string }>("POST", "/elements/dropbox/oauth/url", {
      callbackUrl,
    });
    const browser = new FormBrowser({ stopAt: (url) => url.startsWith(callbackUrl) });
    const back = await passVendor(browser, await browser.open(asked.body.oauthUrl));
    const { code, state } = Object.fromEntries(new URL(back.url).searchParams);
    const { body: whole } = await app.platform<Record<string, unknown>>("GET", `/instances/${made.id}`);
    const put = await app.platform("PUT", `/instances/${made.id}`, {
      ...whole,
      providerData: { code, state },
    });
    expect(put.status, JSON.stringify(put.body)).toBe(200);
  });
});

describe("an attacker at the OAuth proxy", () => {
  it("needs the user's and the organization's secrets", async () => {
    const { userSecret, organizationSecret } = app.settings;
    const other = await appOfAnotherOrganization(platform);
    for (const authorization of [
      undefined,
      `Bearer ${userSecret}`,
      `User ${userSecret}`,
      `Organization ${organizationSecret}`,
      `User ${userSecret}, Organization ${other.settings.organizationSecret}`,
      `User ${organizationSecret}, Organization ${userSecret}`,
    ]) {
      const answer = await urlOf({ apiKey: "some-client" }, { authorization });
      expect([authorization, answer.status]).toEqual([authorization, 401]);
      const list = await app.call("GET", "/elements/oauthProxies", authorization ? { authorization } : {});
      expect([authorization, list.status]).toEqual([authorization, 401]);
    }
  });

  it("of another organization neither sees, uses nor changes the proxy", async () => {
    const other = await appOfAnotherOrganization(platform);
    expect((await other.platform("GET", "/elements/oauthProxies")).body).toEqual([]);
    expect((await addUrl("https://evil.example/", other)).body.code).toBe("unknown_oauth_proxy");
    expect((await other.platform("DELETE", `/elements/oauthProxies/${proxy.id}`)).status).toBe(404);
    const used = await urlOf({}, { authorization: other.platformAuthorization });
    expect(used.body).toMatchObject({ code: "unknown_oauth_proxy", detail: { field: "oauthProxyName" } });
  });

  it.each([
    ["oauthProxyName", "nothing", 404, "unknown_oauth_proxy"],
    ["oauthProxyName", "", 400, "invalid_request"],
    ["oauthProxyName", "Apps", 404, "unknown_oauth_proxy"],
    ["oauthProxyName", "../apps", 404, "unknown_oauth_proxy"],
    ["state", "", 400, "invalid_request"],
    ["state", "https://evil.example/done", 400, "application_url_not_allowed"],
    ["state", "https://eu.app.example.evil.example/done", 400, "application_url_not_allowed"],
    ["state", "https://eu.app.example@evil.example/done", 400, "application_url_not_allowed"],
    ["state", "https://evil.example\\.app.example/done", 400, "application_url_not_allowed"],
    ["state", "https://evil.example#.app.example/done", 400, "application_url_not_allowed"],
    ["state", "http://eu.app.example/done", 400, "application_url_not_allowed"],
    ["state", "https://eu.app.example/other", 400, "application_url_not_allowed"],
    ["state", "https://eu.app.example/done/../../other", 400, "application_url_not_allowed"],
    ["state", "//eu.app.example/done", 400, "application_url_not_allowed"],
    ["state", "javascript:alert(1)//.app.example/done", 400, "application_url_not_allowed"],
    ["state", "apps", 400, "application_url_not_allowed"],
    ["callbackUrl", "https://evil.example/cb", 400, "redirect_uri_mismatch"],
    ["isOauthProxy", "perhaps", 400, "invalid_request"],
  ])("sends %s=%s and is refused", async (field, value, status, code) => {
    const answer = await urlOf({ [field]: value });
    expect([answer.status, answer.body.code, answer.body.detail?.field]).toEqual([status, code, field]);
    expect(JSON.stringify(answer.body)).not.toContain("authorize?");
  });

  it.each([
    "*",
    "https://*",
    "https://*.com/x",
    "^https://.*$",
    "javascript:alert(1)",
    "http://app.example/",
  ])("cannot put %s on the list", async (url) => {
    const answer = await addUrl(url);
    expect([answer.status, answer.body.detail?.field]).toEqual([400, "applicationUrl"]);
  });

  it("returns with a state that is a URL, unknown, direct or hosted, and reaches no app", async () => {
    const code = { code: "stolen" };
    const direct = await app.authorizationUrl("dropbox", { state: APP_URL });
    for (const state of [APP_URL, `ls_${"x".repeat(43)}`, "dropbox", "", direct.state]) {
      const url = `${app.settings.baseUrl}/oauth/callback/dropbox?${new URLSearchParams({ ...code, state })}`;
      const { status, headers } = await open(url);
      expect([state, status, headers.get("location")]).toEqual([state, 400, null]);
    }
  });

  it("sends the answer of one vendor to another one's callback, and reaches no app", async () => {
    const url = await vendorRedirect("dropbox");
    const elsewhere = new URL(url.href.replace("/callback/dropbox", "/callback/googledrive"));
    expect((await open(elsewhere)).status).toBe(400);
    // The state is not used up by that.
    expect((await open(url)).status).toBe(303);
  });

  it("uses the state a second time, for another code", async () => {
    const url = await vendorRedirect();
    expect((await open(url)).status).toBe(303);
    expect((await open(changed(url, (to) => to.set("code", "injected")))).status).toBe(400);
  });

  it("adds parameters to the callback: none replaces the app's own, the code or the state", async () => {
    const url = changed(await vendorRedirect(), (to) => {
      to.append("nonce", "8");
      to.append("error_description", "<script>");
      to.append("realmId", "123");
      to.append("long", "x".repeat(3_000));
      for (let count = 0; count < 50; count++) to.append(`many${count}`, "x");
    });
    const location = new URL((await open(url)).headers.get("location") ?? "");
    expect(location.searchParams.getAll("nonce")).toEqual(["7"]);
    expect(location.searchParams.getAll("state")).toEqual([APP_URL]);
    expect(location.searchParams.getAll("code")).toEqual([url.searchParams.get("code")]);
    expect(location.searchParams.get("realmId")).toBe("123");
    for (const name of ["error_description", "long"]) expect(location.searchParams.has(name)).toBe(false);
    expect(location.searchParams.size).toBeLessThan(30);
  });

  it("claims to be another issuer: the app gets an error and no code", async () => {
    const url = changed(await vendorRedirect("googledrive"), (to) => to.set("iss", "https://evil.example"));
    const location = new URL((await open(url)).headers.get("location") ?? "");
    expect(location.searchParams.get("error")).toBe("invalid_issuer");
    expect(location.searchParams.has("code")).toBe(false);
  });

  it("cannot have a code forwarded to a URL that was taken from the list, or by a deleted proxy", async () => {
    const { body } = await app.platform<Proxy>("POST", "/elements/oauthProxies", { name: "short-lived" });
    await addUrl("https://one.app.example/", app, body.id);
    const asked = { oauthProxyName: "short-lived", state: "https://one.app.example/" };
    const [one, two] = [await vendorRedirect("dropbox", asked), await vendorRedirect("dropbox", asked)];
    const remove = new URLSearchParams({ applicationUrl: "https://one.app.example/" });
    await app.platform("DELETE", `/elements/oauthProxies/${body.id}/applicationUrl?${remove}`);
    expect((await open(one)).status).toBe(404);
    await app.platform("DELETE", `/elements/oauthProxies/${body.id}`);
    expect((await open(two)).status).toBe(404);
  });

  it("who is another user of the organization cannot use a code that was forwarded", async () => {
    const other = await appOfAnotherUser(platform);
    const { body } = await urlOf();
    const code = new URL((await signIn(body.oauthUrl)).url).searchParams.get("code");
    const stolen = await other.platform<Problem>("POST", "/instances", {
      element: { key: "dropbox" },
      providerData: { code, state: APP_URL },
    });
    expect([stolen.status, stolen.body.code]).toEqual([400, "invalid_state"]);
  });

  it("cannot use the link of a suspended user", async () => {
    const admin = operatorOf(platform);
    const organization = (await admin.listOrganizations()).find(({ name }) => name === "Demo");
    const { user, secret: userSecret } = await admin.createUser({
      organizationId: organization?.id ?? "",
      email: "sus@example.com",
      firstName: "Sus",
      lastName: "Pended",
    });
    const of = new App({ ...platform.demo, userSecret });
    const { body } = await urlOf({}, { authorization: of.platformAuthorization });
    const browser = new FormBrowser({ stopAt: (url) => url.includes("/oauth/callback/") });
    const url = (await passVendor(browser, await browser.open(body.oauthUrl))).url;
    await admin.setStatus({ organizationId: user.organizationId, userId: user.id }, "suspended");
    expect((await open(url)).status).toBe(404);
  });
});
