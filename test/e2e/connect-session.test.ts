import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dynamoClient } from "../../functions/aws/store-time.ts";
import { hashSecret } from "../../functions/core/secret-hash.ts";
import { FormBrowser } from "../form-browser.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { type Answer, App, type CreatedInstance, passVendor } from "./app.ts";
import { appOfAnotherUser, operatorOf, outputOf, scanTable } from "./tenants.ts";

interface Session {
  readonly id: string;
  readonly connectUrl: string;
  readonly expiresAt: string;
}

interface Claimed {
  readonly id: number;
  readonly token: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly element: { readonly key: string };
  readonly code?: string;
  readonly message?: string;
  readonly detail?: { readonly field?: string; readonly instanceId?: number };
}

const RETURN_URL = "https://app.example/back?tab=files";
const MASK = "********";
let platform: RunningPlatform;
let app: App;
beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
  const admin = operatorOf(platform);
  const [organization] = await admin.listOrganizations();
  await admin.setAllowLists(organization?.id ?? "", {
    returnUrls: [RETURN_URL, "https://app.example/any/*"],
  });
  // Other running processes may use the old list for 30 s more, but none has started yet.
});
afterAll(() => platform.close());
beforeEach(() => {
  for (const vendor of Object.values(platform.vendors)) vendor.clearFaults();
});

const person = () => new FormBrowser({ stopAt: (url) => url.startsWith("https://app.example/") });

async function createSession(body: Record<string, unknown> = {}): Promise<Session> {
  const answer = await app.platform<Session>("POST", "/connect/sessions", {
    element: { key: "dropbox" },
    returnUrl: RETURN_URL,
    endUser: "user-1",
    ...body,
  });
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/**
 * Opens the session's page, chooses the connector, signs in at the vendor; returns the URL at which the app gets its user
 * back.
 */
async function connect(
  session: Session,
  options: { browser?: FormBrowser; name?: RegExp; login?: string; allow?: boolean } = {},
): Promise<URL> {
  const browser = options.browser ?? person();
  const page = await browser.open(session.connectUrl);
  const vendorPage = await browser.submit(page, options.name ?? /continue with/i);
  return new URL((await passVendor(browser, vendorPage, options)).url);
}

/** Signs in at the vendor, and stops at the URL by which the vendor sends the browser back to us. */
async function redirectOf(session: Session): Promise<{ url: URL; browser: FormBrowser }> {
  let stops = true;
  const browser = new FormBrowser({
    stopAt: (url) => url.startsWith("https://app.example/") || (stops && url.includes("/oauth/callback/")),
  });
  const url = await connect(session, { browser });
  stops = false;
  return { url, browser };
}

const claim = (
  session: Session,
  value: string | null,
  endUser = "user-1",
  of = app,
): Promise<Answer<Claimed>> =>
  of.platform<Claimed>("POST", `/connect/sessions/${session.id}/claim`, { claim: value, endUser });

const instancesLeft = async () =>
  (await app.platform<unknown[]>("GET", "/instances?pageSize=2000")).body.length;

describe.each([
  ["dropbox", /continue with dropbox/i],
  ["googledrive", /continue with google drive/i],
])("the hosted flow for %s", (connector, button) => {
  it("works from session to claim, without a secret in the browser", async () => {
    const session = await createSession({ element: { key: connector }, name: "Ann's files", tags: ["t1"] });
    expect(session.connectUrl).toBe(`${platform.baseUrl}/connect/${session.id}`);
    const minutes = (Date.parse(session.expiresAt) - platform.clock.now()) / 60_000;
    expect(minutes).toBeGreaterThan(28);
    expect(minutes).toBeLessThan(32);

    const back = await connect(session, { name: button });
    expect(back.origin + back.pathname).toBe("https://app.example/back");
    expect([...back.searchParams.keys()]).toEqual(["tab", "session", "claim"]);
    expect(back.searchParams.get("session")).toBe(session.id);

    const claimed = await claim(session, back.searchParams.get("claim"));
    expect(claimed.status).toBe(200);
    expect(claimed.headers.get("cache-control")).toBe("no-store");
    expect(claimed.body).toMatchObject({
      id: expect.any(Number),
      token: expect.stringMatching(/^lsi_/),
      name: "Ann's files",
      tags: ["t1"],
      element: { key: connector },
    });
    expect((await app.hub(claimed.body.token, "GET", "/hubs/documents/ping")).status).toBe(200);
  });

  it("can be claimed once", async () => {
    const session = await createSession({ element: { key: connector } });
    const back = await connect(session);
    const value = back.searchParams.get("claim");
    const answers = await Promise.all([claim(session, value), claim(session, value), claim(session, value)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const [lost] = answers.filter(({ status }) => status === 409);
    expect(lost?.body).toMatchObject({ code: "already_claimed", detail: { instanceId: expect.any(Number) } });
  });
});

describe("the page of a session", () => {
  it("is plain HTML that names the organization that asks, with headers against framing, caching and leaking the URL", async () => {
    const session = await createSession({
      elements: [{ key: "dropbox" }, { key: "googledrive" }],
      element: null,
    });
    const page = await person().open(session.connectUrl);
    expect(page.status).toBe(200);
    expect(page.text).toContain("<strong>Demo</strong> asks for access");
    for (const name of ["Dropbox", "Google Drive"])
      expect(page.text).toContain(`<span class="hidden">Continue with </span>${name}`);
    expect(page.text).not.toContain("<script");
    expect(page.headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(page.headers.get("referrer-policy")).toBe("same-origin");
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.headers.has("cross-origin-opener-policy")).toBe(false);
    expect(page.headers.get("set-cookie")).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Max-Age=1800$/);
  });

  it("sends the user back to the app when they refuse", async () => {
    const session = await createSession();
    const browser = person();
    const end = new URL((await browser.submit(await browser.open(session.connectUrl), /not now/i)).url);
    expect(end.searchParams.get("error")).toBe("access_denied");
    expect(end.searchParams.has("claim")).toBe(false);
  });

  it("escapes text that comes from others", async () => {
    const admin = operatorOf(platform);
    const { organization, secret: organizationSecret } = await admin.createOrganization({
      name: '<img src=x onerror="alert(1)">',
    });
    const { secret: userSecret } = await admin.createUser({
      organizationId: organization.id,
      email: "x@x.example",
      firstName: "X",
      lastName: "X",
    });
    await admin.setAllowLists(organization.id, { returnUrls: [RETURN_URL] });
    await admin.registerApp({
      organizationId: organization.id,
      connector: "dropbox",
      clientId: "c",
      clientSecret: "s",
      callbackUrls: [],
    });
    const other = new App({ ...platform.demo, organizationSecret, userSecret });
    const { body } = await other.platform<Session>("POST", "/connect/sessions", {
      element: "dropbox",
      returnUrl: RETURN_URL,
      endUser: 1,
    });
    const page = await person().open(body.connectUrl);
    expect(page.text).not.toContain("<img src=x");
    expect(page.text).toContain("&lt;img src=x");
  });

  it.each(["cs_nothing", "%3Cscript%3E", "a/b"])("is 404 for %s", async (id) => {
    expect((await fetch(`${platform.baseUrl}/connect/${id}`)).status).toBe(404);
  });
});

describe("an error in the hosted flow", () => {
  it("the app is told of a denial, and the state is used up", async () => {
    const session = await createSession();
    const back = await connect(session, { allow: false });
    expect(Object.fromEntries(back.searchParams)).toEqual({
      tab: "files",
      session: session.id,
      error: "access_denied",
      error_description: "The user chose not to give your app access to their Dropbox account.",
    });
    const open = await claim(session, "anything");
    expect(open.status).toBe(409);
    expect(open.body.code).toBe("not_connected");
  });

  it("after a denial the user may try again in the same session", async () => {
    const session = await createSession();
    const browser = person();
    await connect(session, { browser, allow: false });
    const back = await connect(session, { browser });
    expect((await claim(session, back.searchParams.get("claim"))).status).toBe(200);
  });

  it("a claim by another end user is 403, and the new grant is revoked and deleted", async () => {
    const dropbox = platform.vendors.dropbox;
    dropbox?.addAccount({ login: "victim@example.com", name: "Victim", email: "victim@example.com" });
    const before = await instancesLeft();
    const session = await createSession({ endUser: "attacker" });
    const back = await connect(session, { login: "victim@example.com" });
    const refused = await claim(session, back.searchParams.get("claim"), "victim");
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ code: "end_user_mismatch", detail: { field: "endUser" } });
    await platform.settled();
    expect(await instancesLeft()).toBe(before);
    expect(dropbox?.living("victim@example.com")).toEqual({ grants: 0, accessTokens: 0 });
    const late = await claim(session, back.searchParams.get("claim"), "attacker");
    expect(late.status).toBe(409);
    expect(late.body.code).toBe("claim_refused");
    expect(late.body.message).toContain("revoked");
    expect(late.body.detail ?? {}).not.toHaveProperty("instanceId");
  });

  it("a wrong claim is 400 and the right one still works; another user's session is 404", async () => {
    const session = await createSession();
    const back = await connect(session);
    const wrong = await claim(session, "made-up");
    expect(wrong.status).toBe(400);
    expect(wrong.body).toMatchObject({ code: "invalid_claim", detail: { field: "claim" } });
    const value = back.searchParams.get("claim");
    expect((await claim(session, value, "user-1", await appOfAnotherUser(platform))).status).toBe(404);
    expect(
      (await app.platform("POST", `/connect/sessions/${session.id}/claim`, { endUser: "user-1" })).status,
    ).toBe(400);
    expect((await claim(session, value)).status).toBe(200);
  });

  it("an expired session answers 404, for its page and its claim", async () => {
    const session = await createSession();
    const done = await createSession();
    const back = await connect(done);
    platform.clock.advance(31 * 60_000);
    const page = await person().open(session.connectUrl);
    expect(page.status).toBe(404);
    expect(page.text).toContain("older than 30 minutes");
    expect((await claim(done, back.searchParams.get("claim"))).status).toBe(404);
  });

  it.each([
    [{ element: { key: "nothing" } }, 404, undefined],
    [{ element: null }, 400, "element"],
    [{ element: {} }, 400, "element.key"],
    [{ returnUrl: null }, 400, "returnUrl"],
    [{ returnUrl: "https://evil.example/" }, 400, "returnUrl"],
    [{ returnUrl: "https://app.example/any/../other" }, 400, "returnUrl"],
    [{ returnUrl: `https://app.example/any/?x=${"é".repeat(1_500)}` }, 400, "returnUrl"],
    [{ endUser: null }, 400, "endUser"],
    [{ elements: "dropbox", element: null }, 400, "elements"],
    [{ instanceId: 4711 }, 404, undefined],
    [{ instanceId: "x" }, 400, "instanceId"],
    [{ configuration: { "oauth.api.key": "k" } }, 400, "configuration.oauth.api.secret"],
  ])("a session with %j is refused: %i", async (change, status, field) => {
    const answer = await app.platform<Claimed>("POST", "/connect/sessions", {
      element: { key: "dropbox" },
      returnUrl: "https://app.example/any/thing",
      endUser: "user-1",
      ...change,
    });
    expect(answer.status).toBe(status);
    expect(answer.body.detail?.field).toBe(field);
  });
});

describe("our callback", () => {
  it("accepts only the browser that began the session", async () => {
    const session = await createSession();
    const before = await instancesLeft();
    const { url } = await redirectOf(session);
    const stranger = await person().open(url.href);
    expect(stranger.status).toBe(403);
    expect(await instancesLeft()).toBe(before);
    expect((await claim(session, "x")).body.code).toBe("not_connected");
  });

  it("refuses a state of another connector, an expired and an invented state, with an error page", async () => {
    const before = await instancesLeft();
    const session = await createSession();
    const { url, browser } = await redirectOf(session);
    const elsewhere = new URL(url);
    elsewhere.pathname = elsewhere.pathname.replace("dropbox", "googledrive");
    expect((await browser.open(elsewhere.href)).status).toBe(400);

    const late = await createSession();
    const walked = await redirectOf(late);
    platform.clock.advance(31 * 60_000);
    const answer = await walked.browser.open(walked.url.href);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toContain("text/html");

    for (const query of ["?code=c&state=ls_made-up", "?code=c", "", "?error=access_denied"]) {
      expect((await browser.open(`${platform.baseUrl}/oauth/callback/dropbox${query}`)).status).toBe(400);
    }
    expect((await browser.open(`${platform.baseUrl}/oauth/callback/nothing?code=c&state=s`)).status).toBe(
      404,
    );
    expect(await instancesLeft()).toBe(before);
  });

  it("refuses an answer that names another issuer", async () => {
    const session = await createSession({ element: { key: "googledrive" } });
    const { url, browser } = await redirectOf(session);
    url.searchParams.set("iss", "https://evil.example");
    const back = new URL((await browser.open(url.href)).url);
    expect(back.searchParams.get("error")).toBe("invalid_issuer");
  });

  it("tells the app why the vendor refused the code, and stores nothing", async () => {
    const before = await instancesLeft();
    const session = await createSession();
    const { url, browser } = await redirectOf(session);
    url.searchParams.set("code", "wrong");
    const back = new URL((await browser.open(url.href)).url);
    expect(back.searchParams.get("error")).toBe("invalid_code");
    expect(await instancesLeft()).toBe(before);
  });

  it("replaces an unknown error code by vendor_error", async () => {
    const session = await createSession();
    const { url, browser } = await redirectOf(session);
    url.searchParams.delete("code");
    url.searchParams.set("error", "Click <b>here</b>");
    const back = new URL((await browser.open(url.href)).url);
    expect(back.searchParams.get("error")).toBe("vendor_error");
  });
});

describe("signing in to an instance again", () => {
  it("keeps id and token, and accepts only the same account", async () => {
    const instance = await app.connect("dropbox", { name: "Again" });
    await platform.settled();
    platform.vendors.dropbox?.revokeGrants("ada@example.com");
    await app.platform("POST", `/instances/${instance.id}/refresh`);
    expect((await app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(401);

    const other = await createSession({ element: null, instanceId: instance.id });
    const refused = await claim(
      other,
      (await connect(other, { login: "grace@example.com" })).searchParams.get("claim"),
    );
    expect(refused).toMatchObject({
      status: 409,
      body: { code: "another_account", detail: { field: "acceptOtherAccount", instanceId: instance.id } },
    });

    const session = await createSession({ element: null, instanceId: instance.id });
    const back = await connect(session);
    const claimed = await claim(session, back.searchParams.get("claim"));
    expect(claimed.status).toBe(200);
    expect(claimed.body).toMatchObject({ id: instance.id, token: MASK, name: "Again" });
    expect((await app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(200);
  });

  it("changes nothing when another end user claims: the new grant is revoked and deleted", async () => {
    const stranger = { login: "stranger@example.com", name: "Stranger", email: "stranger@example.com" };
    platform.vendors.dropbox?.addAccount(stranger);
    const instance = await app.connect("dropbox", { name: "Kept" });
    const session = await createSession({ element: null, instanceId: instance.id });
    const value = (await connect(session, { login: "stranger@example.com" })).searchParams.get("claim");
    for (const time of ["at first", "and again"]) {
      const refused = await claim(session, value, "user-2");
      expect(refused.status, time).toBe(403);
      expect(refused.body).toMatchObject({
        code: "end_user_mismatch",
        message: expect.stringContaining("revoked"),
        detail: { field: "endUser" },
      });
    }
    expect((await claim(session, value, "user-1")).body).toMatchObject({ code: "claim_refused" });
    await platform.settled();
    expect(platform.vendors.dropbox?.living("stranger@example.com")).toEqual({ grants: 0, accessTokens: 0 });
    expect(await emailSeenBy(instance.token)).toBe("ada@example.com");
  });

  it("is refused for another user's instance", async () => {
    const instance = await app.connect("dropbox");
    const other = await appOfAnotherUser(platform);
    const answer = await other.platform("POST", "/connect/sessions", {
      instanceId: instance.id,
      returnUrl: RETURN_URL,
      endUser: "user-1",
    });
    expect(answer.status).toBe(404);
  });
});

/** The email address of the account that an instance's token opens at Dropbox; `undefined` when it opens none. */
async function emailSeenBy(token: string): Promise<string | undefined> {
  const { body } = await app.hub<{ email?: string }>(token, "POST", "/proxy/2/users/get_current_account");
  return body.email;
}

/** The pending sign-in of a session, as the table has it. */
async function pendingOf({ id }: Session): Promise<{ instanceId: number; item: string }> {
  const items = JSON.parse(await scanTable(platform, "InstancesTable")) as {
    instanceId: number;
    item: string;
  }[];
  const found = items.find(({ item }) => item.startsWith(`pending#${id}#`));
  if (found === undefined) throw new Error(`nothing is pending for ${id}`);
  return found;
}

/** Moves the clock by half an hour, and lets the sweep and the worker do everything that is due. */
async function passHalfAnHour(): Promise<void> {
  platform.clock.advance(31 * 60_000);
  await platform.sweep();
  await platform.settled();
}

describe("a connection that nobody has claimed", () => {
  it("cannot be seen or used; when its session expires it is revoked and deleted", async () => {
    const dropbox = platform.vendors.dropbox;
    dropbox?.addAccount({ login: "late@example.com", name: "Late", email: "late@example.com" });
    const listed = async () => JSON.stringify((await app.platform("GET", "/instances?pageSize=2000")).body);
    const before = await listed();
    const count = (await app.platform("GET", "/instances/count")).body;
    const session = await createSession();
    await connect(session, { login: "late@example.com" });
    expect(dropbox?.living("late@example.com").grants).toBe(1);

    expect(await listed()).toBe(before);
    expect((await app.platform("GET", "/instances/count")).body).toEqual(count);
    const { instanceId: reserved } = await pendingOf(session);
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/status"],
      ["GET", "/configuration"],
      ["POST", "/token"],
      ["POST", "/refresh"],
      ["PUT", "/enabled"],
      ["PATCH", ""],
      ["DELETE", ""],
    ] as const) {
      const answer = await app.platform(
        method,
        `/instances/${reserved}${path}`,
        method === "GET" ? undefined : {},
      );
      expect(answer.status, `${method} ${path}`).toBe(404);
    }

    await passHalfAnHour();
    expect(dropbox?.living("late@example.com")).toEqual({ grants: 0, accessTokens: 0 });
    expect(await scanTable(platform, "InstancesTable")).not.toContain(session.id);
  });
});

describe("a new sign-in for an instance, until it is claimed,", () => {
  /** The account of such a sign-in cannot be looked up, because the scope does not allow that. */
  const blindly = { "oauth.scope": "files.metadata.read files.content.read" };

  it("leaves the old account in use, whatever the app does without the claim", async () => {
    const { oauthUrl } = await app.authorizationUrl("dropbox", { scope: blindly["oauth.scope"] });
    const back = await app.consent("dropbox", oauthUrl, { login: "ada@example.com" });
    const { body: instance } = await app.platform<Claimed>("POST", "/instances", {
      element: { key: "dropbox" },
      providerData: { code: back.searchParams.get("code"), state: back.searchParams.get("state") },
      configuration: { "oauth.callback.url": app.callbackUrl("dropbox") },
    });
    const before = await app.hub(instance.token, "GET", "/hubs/documents/folders/contents?path=/");
    expect(before.status).toBe(200);

    const session = await createSession({ element: null, instanceId: instance.id });
    const value = (await connect(session, { login: "grace@example.com" })).searchParams.get("claim");
    const seen = () => app.hub(instance.token, "GET", "/hubs/documents/folders/contents?path=/");
    expect((await seen()).body).toEqual(before.body);
    expect((await claim(session, value, "somebody else")).status).toBe(403);
    await platform.settled();
    expect((await app.platform("PUT", `/instances/${instance.id}/enabled`)).status).toBe(200);
    expect((await seen()).body).toEqual(before.body);
  });

  it("is refused for an unknown account unless the app accepts one; the claim stays valid", async () => {
    const instance = await app.connect("dropbox");
    const session = await createSession({
      element: null,
      instanceId: instance.id,
      configuration: blindly,
    });
    const value = (await connect(session)).searchParams.get("claim");
    const again = (accepted: Record<string, boolean>) =>
      app.platform<Claimed>("POST", `/connect/sessions/${session.id}/claim`, {
        claim: value,
        endUser: "user-1",
        ...accepted,
      });
    for (const accepted of [{}, { acceptOtherAccount: true }]) {
      expect(await again(accepted)).toMatchObject({
        status: 409,
        body: { code: "account_unknown", detail: { field: "acceptUnknownAccount", instanceId: instance.id } },
      });
    }
    expect(await emailSeenBy(instance.token)).toBe("ada@example.com");
    expect((await again({ acceptUnknownAccount: true })).status).toBe(200);
    expect(await emailSeenBy(instance.token)).toBeUndefined();
    platform.vendors.dropbox?.clearRequests();
    expect((await app.hub(instance.token, "GET", "/hubs/documents/folders/contents?path=/")).status).toBe(
      200,
    );
    // Asking for the account would be refused, and cost a refresh, at each call.
    expect(platform.vendors.dropbox?.requests().map(({ path }) => path)).toEqual(["/2/files/list_folder"]);
  });

  it("accepts another account when the claim says so", async () => {
    const instance = await app.connect("dropbox");
    const session = await createSession({ element: null, instanceId: instance.id });
    const value = (await connect(session, { login: "grace@example.com" })).searchParams.get("claim");
    expect((await claim(session, value)).body.code).toBe("another_account");
    expect(await emailSeenBy(instance.token)).toBe("ada@example.com");
    const accepted = await app.platform<Claimed>("POST", `/connect/sessions/${session.id}/claim`, {
      claim: value,
      endUser: "user-1",
      acceptOtherAccount: true,
    });
    expect(accepted).toMatchObject({ status: 200, body: { id: instance.id, token: MASK } });
    expect(await emailSeenBy(instance.token)).toBe("grace@example.com");
  });

  it("is not overwritten by a second session's; the later sign-in wins", async () => {
    const instance = await app.connect("dropbox");
    const [first, second] = [
      await createSession({ element: null, instanceId: instance.id }),
      await createSession({ element: null, instanceId: instance.id }),
    ];
    const one = (await connect(first)).searchParams.get("claim");
    platform.clock.advance(2_000);
    const two = (await connect(second)).searchParams.get("claim");
    expect((await claim(second, two)).status).toBe(200);
    await platform.settled();
    expect((await claim(first, one)).body).toMatchObject({ code: "sign_in_superseded" });
    expect(await emailSeenBy(instance.token)).toBe("ada@example.com");
  });

  it("is ended by a later direct sign-in", async () => {
    const instance = await app.connect("dropbox");
    const session = await createSession({ element: null, instanceId: instance.id });
    const value = (await connect(session)).searchParams.get("claim");
    platform.clock.advance(2_000);
    const { oauthUrl } = await app.authorizationUrl("dropbox");
    const back = await app.consent("dropbox", oauthUrl);
    const providerData = { code: back.searchParams.get("code"), state: back.searchParams.get("state") };
    expect((await app.platform("PUT", `/instances/${instance.id}`, { providerData })).status).toBe(200);
    await platform.settled();
    expect(await scanTable(platform, "InstancesTable")).not.toContain(session.id);
    expect((await claim(session, value)).body).toMatchObject({ code: "sign_in_superseded" });
    expect(await emailSeenBy(instance.token)).toBe("ada@example.com");
  });

  it("ends with its instance", async () => {
    const instance = await app.connect("dropbox");
    const session = await createSession({ element: null, instanceId: instance.id });
    const value = (await connect(session)).searchParams.get("claim");
    expect((await app.platform("DELETE", `/instances/${instance.id}`)).status).toBe(200);
    await platform.settled();
    expect(await scanTable(platform, "InstancesTable")).not.toContain(session.id);
    expect((await claim(session, value)).status).toBe(404);
  });
});

describe("a new sign-in whose answer has no refresh token", () => {
  /** Signs in as an app that built its own authorization URL and did not ask for a refresh token. */
  async function signInOnline(id: number, login: string, more: Record<string, unknown> = {}) {
    const { oauthUrl } = await app.authorizationUrl("dropbox");
    const url = new URL(oauthUrl);
    url.searchParams.set("token_access_type", "online");
    const back = await app.consent("dropbox", url.href, { login });
    const providerData = { code: back.searchParams.get("code"), state: back.searchParams.get("state") };
    return await app.platform<Record<string, unknown>>("PUT", `/instances/${id}`, { providerData, ...more });
  }

  it("keeps the refresh token of the same account, so the connection works after the access token has expired", async () => {
    const instance = await app.connect("dropbox");
    await platform.settled();
    const signedIn = await signInOnline(instance.id, "ada@example.com");
    expect(signedIn.status).toBe(200);
    expect(signedIn.body).not.toHaveProperty("refreshable");
    await platform.settled();
    expect(await emailSeenBy(instance.token)).toBe("ada@example.com");
    platform.clock.advance(5 * 3_600_000);
    expect(await emailSeenBy(instance.token)).toBe("ada@example.com");
  });

  it("has no refresh token for another account, and the answer says so", async () => {
    const instance = await app.connect("dropbox");
    await platform.settled();
    const signedIn = await signInOnline(instance.id, "grace@example.com", { acceptOtherAccount: true });
    expect(signedIn).toMatchObject({ status: 200, body: { refreshable: false } });
    expect((await app.platform("GET", `/instances/${instance.id}`)).body).toMatchObject({
      refreshable: false,
    });
    expect(await emailSeenBy(instance.token)).toBe("grace@example.com");
  });
});

describe("a session that an older version connected", () => {
  /** The session as the older version left it: the instance works already, and the session contains the claim. */
  async function oldSession(instance: CreatedInstance, reauthenticates: boolean): Promise<Session> {
    const session = await createSession(reauthenticates ? { element: null, instanceId: instance.id } : {});
    const { documents } = dynamoClient(platform.operator);
    const TableName = outputOf(platform, "TransientsTable");
    const { Item } = await documents.send(
      new GetCommand({ TableName, Key: { id: `session#${session.id}` }, ConsistentRead: true }),
    );
    const connected = {
      ...Item,
      status: "connected",
      instanceId: instance.id,
      claim: hashSecret("old-claim"),
    };
    await documents.send(new PutCommand({ TableName, Item: connected }));
    return session;
  }

  it("can be claimed; a new connection's token comes with the answer", async () => {
    const instance = await app.connect("dropbox");
    const claimed = await claim(await oldSession(instance, false), "old-claim");
    expect(claimed).toMatchObject({ status: 200, body: { id: instance.id } });
    expect(await emailSeenBy(claimed.body.token)).toBe("ada@example.com");
  });

  it("claimed by another end user, disables an existing instance and deletes a new one", async () => {
    const [kept, made] = [await app.connect("dropbox"), await app.connect("dropbox")];
    expect((await claim(await oldSession(kept, true), "old-claim", "user-2")).status).toBe(403);
    expect((await claim(await oldSession(made, false), "old-claim", "user-2")).status).toBe(403);
    await platform.settled();
    expect((await app.hub(kept.token, "GET", "/hubs/documents/ping")).body).toMatchObject({
      code: "instance_disabled",
    });
    expect((await app.platform("GET", `/instances/${made.id}`)).status).toBe(404);
  });
});

describe("while the stores fail", () => {
  const failing = {
    service: "dynamodb",
    principal: "Connections",
    status: 500,
    code: "InternalServerError",
  } as const;
  it("a sign-in that the table does not accept can be claimed from the rescue bucket", async () => {
    const session = await createSession();
    const { url, browser } = await redirectOf(session);
    platform.frontDoor.fail({ ...failing, action: "PutItem", skip: 3, count: 12 });
    const back = new URL((await browser.open(url.href)).url);
    platform.frontDoor.clearFaults();
    const claimed = await claim(session, back.searchParams.get("claim"));
    expect(claimed.status).toBe(200);
    expect(await emailSeenBy(claimed.body.token)).toBe("ada@example.com");
    await platform.sweep();
    await platform.settled();
    expect(await emailSeenBy(claimed.body.token)).toBe("ada@example.com");
  });

  it("a claim whose write fails can be repeated", async () => {
    const session = await createSession();
    const value = (await connect(session)).searchParams.get("claim");
    platform.frontDoor.fail({ ...failing, action: "PutItem", count: 6 });
    expect((await claim(session, value)).status).toBeGreaterThanOrEqual(500);
    platform.frontDoor.clearFaults();
    const claimed = await claim(session, value);
    expect(claimed.status).toBe(200);
    expect(await emailSeenBy(claimed.body.token)).toBe("ada@example.com");
  });
});

describe("an app with its own client", () => {
  it("passes the client in the session's configuration; neither the store nor the browser sees the secret in plain text", async () => {
    const { clientId = "", clientSecret = "" } = app.settings.connectors.dropbox ?? {};
    const session = await createSession({
      configuration: { "oauth.api.key": clientId, "oauth.api.secret": clientSecret },
    });
    expect(await scanTable(platform, "TransientsTable")).not.toContain(clientSecret);
    const back = await connect(session);
    expect((await claim(session, back.searchParams.get("claim"))).status).toBe(200);
  });
});
