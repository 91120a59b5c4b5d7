import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FormBrowser, type Page } from "../form-browser.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, passVendor } from "./app.ts";
import { operatorOf, scanTable } from "./tenants.ts";

const RETURN_URL = "https://app.example/back";
const ATTEMPTS = 4;
let platform: RunningPlatform;
let app: App;
beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
  const admin = operatorOf(platform);
  const [organization] = await admin.listOrganizations();
  await admin.setAllowLists(organization?.id ?? "", { returnUrls: [RETURN_URL] });
});
afterAll(() => platform.close());
afterEach(() => {
  platform.frontDoor.clearFaults();
  for (const vendor of Object.values(platform.vendors)) vendor.clearFaults();
});

interface Session {
  readonly id: string;
  readonly connectUrl: string;
}

async function createSession(): Promise<Session> {
  const body = { element: { key: "dropbox" }, returnUrl: RETURN_URL, endUser: "user-1" };
  const answer = await app.platform<Session>("POST", "/connect/sessions", body);
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

const claim = (session: Session, value: string | null) =>
  app.platform<{ id: number; token: string }>("POST", `/connect/sessions/${session.id}/claim`, {
    claim: value,
    endUser: "user-1",
  });

/** Fetches without cookies, like a scanner or a browser that blocks cookies. */
const bare = (url: string, init: RequestInit = {}) => fetch(url, { redirect: "manual", ...init });

const person = () => new FormBrowser({ stopAt: (url) => url.startsWith("https://app.example/") });

/** The cookie that a page sets. */
function cookieOf(response: { readonly headers: Headers }): string {
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

function tokenOf(page: Pick<Page, "text">): string {
  return /name="form" value="([\w-]{43})"/.exec(page.text)?.[1] ?? "";
}

/** Goes to the vendor and back, and stops before our callback; returns the callback's URL and the session's cookie. */
async function callbackOf(session: Session): Promise<{ url: string; cookie: string }> {
  const opened = await bare(session.connectUrl);
  const cookie = cookieOf(opened);
  const form = tokenOf({ text: await opened.text() });
  const chosen = await bare(session.connectUrl, {
    method: "POST",
    headers: { Cookie: cookie, Origin: platform.url },
    body: new URLSearchParams({ connector: "dropbox", form }),
  });
  const browser = new FormBrowser({ stopAt: (url) => url.includes("/oauth/callback/") });
  const page = await browser.open(chosen.headers.get("location") ?? "");
  return { url: (await passVendor(browser, page)).url, cookie };
}

const exchanges = () => platform.vendors.dropbox?.tokenRequests("authorization_code") ?? 0;

describe("the page of a session", () => {
  it("stores nothing when browsers only open the page, however many do", async () => {
    const session = await createSession();
    const before = await scanTable(platform, "TransientsTable");
    const head = await bare(session.connectUrl, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const cookies = new Set<string>();
    for (let each = 0; each < 3; each++) cookies.add(cookieOf(await bare(session.connectUrl)));
    expect(cookies.size).toBe(3);
    expect(await scanTable(platform, "TransientsTable")).toBe(before);
  });

  it("belongs to the browser that submits the form first, and refuses every other browser afterwards", async () => {
    const session = await createSession();
    const [first, second] = [person(), person()];
    const [page, other] = [await first.open(session.connectUrl), await second.open(session.connectUrl)];
    expect((await first.submit(page, /continue with/i)).status).toBe(200);
    for (const refused of [
      await second.submit(other, /continue with/i),
      await second.open(session.connectUrl),
      await person().open(session.connectUrl),
    ]) {
      expect(refused.status).toBe(403);
      expect(refused.text).toContain("another browser");
    }
    // After a double click or in a second tab, the same browser may choose again.
    expect((await first.submit(page, /continue with/i)).status).toBe(200);
    expect((await first.open(session.connectUrl)).status).toBe(200);
  });

  it("accepts only its own form", async () => {
    const session = await createSession();
    const opened = await bare(session.connectUrl);
    const [cookie, form] = [cookieOf(opened), tokenOf({ text: await opened.text() })];
    const other = tokenOf({ text: await (await bare(session.connectUrl)).text() });
    const post = (headers: Record<string, string>, fields: Record<string, string>) =>
      bare(session.connectUrl, {
        method: "POST",
        headers: { Cookie: cookie, ...headers },
        body: new URLSearchParams({ connector: "dropbox", ...fields }),
      });
    const own = { Origin: platform.url };
    const refused = {
      "no token": await post(own, {}),
      "another browser's token": await post(own, { form: other }),
      "another origin": await post({ Origin: "https://evil.example" }, { form }),
      "an opaque origin": await post({ Origin: "null" }, { form }),
      "another site, by the browser's word": await post({ "Sec-Fetch-Site": "cross-site" }, { form }),
    };
    for (const [name, { status }] of Object.entries(refused)) expect(status, name).toBe(403);
    expect((await post({ ...own, "Sec-Fetch-Site": "same-origin" }, { form })).status).toBe(303);
  });

  it("tells the user when cookies are blocked, and works once they are allowed", async () => {
    const session = await createSession();
    const blocked = await bare(session.connectUrl, {
      method: "POST",
      headers: { Origin: platform.url },
      body: new URLSearchParams({ connector: "dropbox" }),
    });
    const text = await blocked.text();
    expect(blocked.status).toBe(403);
    expect(text).toContain("Please allow cookies");
    expect(text).toContain(`action="${session.connectUrl}"`);
    expect((await callbackOf(session)).url).toContain("code=");
  });

  it.each([
    ["Sec-Purpose", "prefetch;prerender"],
    ["Purpose", "prefetch"],
    ["X-Moz", "prefetch"],
    ["X-Purpose", "preview"],
  ])("does not open for a request that only prefetches (%s: %s)", async (name, value) => {
    const session = await createSession();
    const prefetched = await bare(session.connectUrl, { headers: { [name]: value } });
    expect([prefetched.status, prefetched.headers.get("cache-control")]).toEqual([503, "no-store"]);
    expect((await person().open(session.connectUrl)).status).toBe(200);
  });
});

describe("our callback", () => {
  it("redirects the same browser to the same URL for ten minutes, and exchanges the code once", async () => {
    const session = await createSession();
    const { url, cookie } = await callbackOf(session);
    const before = exchanges();
    const first = (await bare(url, { headers: { Cookie: cookie } })).headers.get("location");
    platform.clock.advance(9 * 60_000);
    const again = await bare(url, { headers: { Cookie: cookie } });
    expect([again.status, again.headers.get("location")]).toEqual([303, first]);
    expect(exchanges() - before).toBe(1);
    expect(await scanTable(platform, "TransientsTable")).not.toContain(
      new URL(first ?? "").searchParams.get("claim"),
    );
    platform.clock.advance(2 * 60_000);
    expect((await bare(url, { headers: { Cookie: cookie } })).status).toBe(400);
  });

  it("answers several simultaneous deliveries with the claim of the first", async () => {
    const session = await createSession();
    const { url, cookie } = await callbackOf(session);
    const before = exchanges();
    platform.vendors.dropbox?.fail({ endpoint: "token", delayMs: 1_500 });
    const answers = await Promise.all(
      Array.from({ length: ATTEMPTS }, () => bare(url, { headers: { Cookie: cookie } })),
    );
    const places = answers.map(({ headers }) => headers.get("location"));
    expect(new Set(places).size).toBe(1);
    expect(exchanges() - before).toBe(1);
    const value = new URL(places[0] ?? "").searchParams.get("claim");
    const claimed = await claim(session, value);
    expect(claimed.status).toBe(200);
    expect((await app.hub(claimed.body.token, "GET", "/hubs/documents/ping")).status).toBe(200);
  });

  it("repeats the answer for a denial too", async () => {
    const session = await createSession();
    const { url, cookie } = await callbackOf(session);
    const denied = new URL(url);
    denied.searchParams.delete("code");
    denied.searchParams.set("error", "access_denied");
    const visit = () => bare(denied.href, { headers: { Cookie: cookie } });
    const [first, second] = [await visit(), await visit()];
    expect(first.headers.get("location")).toContain("error=access_denied");
    expect(second.headers.get("location")).toBe(first.headers.get("location"));
  });

  it("changes nothing when the cookie is missing, or when the request only prefetches", async () => {
    const session = await createSession();
    const { url, cookie } = await callbackOf(session);
    const before = exchanges();
    expect((await bare(url)).status).toBe(403);
    expect((await bare(url, { method: "HEAD" })).status).toBe(405);
    const prefetched = await bare(url, { headers: { Cookie: cookie, Purpose: "prefetch" } });
    expect([prefetched.status, prefetched.headers.get("cache-control")]).toEqual([503, "no-store"]);
    expect(exchanges()).toBe(before);
    const back = new URL((await bare(url, { headers: { Cookie: cookie } })).headers.get("location") ?? "");
    expect(back.searchParams.has("claim")).toBe(true);
    // Nor does it show the result to another browser.
    expect((await bare(url)).status).toBe(403);
    expect((await bare(url, { headers: { Cookie: `${cookie}x` } })).status).toBe(403);
  });

  it("exchanges the code again when the vendor rejected the first request without using the code", async () => {
    const session = await createSession();
    const { url, cookie } = await callbackOf(session);
    platform.vendors.dropbox?.fail({ endpoint: "token", status: 429, headers: { "Retry-After": "1" } });
    const busy = await bare(url, { headers: { Cookie: cookie } });
    expect(busy.headers.get("location")).toContain("error=vendor_rate_limited");
    // A second delivery right after the first gets the same redirect; a later delivery sends the code again.
    const twin = await bare(url, { headers: { Cookie: cookie } });
    expect(twin.headers.get("location")).toBe(busy.headers.get("location"));
    platform.clock.advance(6_000);
    const back = new URL((await bare(url, { headers: { Cookie: cookie } })).headers.get("location") ?? "");
    expect(back.searchParams.has("claim")).toBe(true);
  });

  it("redirects a delivery that finishes between the two reads of another delivery to the same URL", async () => {
    const { url, cookie } = await callbackOf(await createSession());
    const reached = Promise.withResolvers<void>();
    const first = Promise.withResolvers<void>();
    const hold = () => {
      reached.resolve();
      return first.promise;
    };
    platform.frontDoor.fail({
      service: "dynamodb",
      action: "GetItem",
      principal: "Connections",
      skip: 1,
      hold,
    });
    const late = bare(url, { headers: { Cookie: cookie } });
    await reached.promise;
    const early = await bare(url, { headers: { Cookie: cookie } });
    expect(early.headers.get("location")).toContain("claim=");
    first.resolve();
    expect((await late).headers.get("location")).toBe(early.headers.get("location"));
  });

  it("makes the browser keep the session's cookie for as long as a delivery may be repeated", async () => {
    const { url, cookie } = await callbackOf(await createSession());
    for (let delivery = 0; delivery < 2; delivery++) {
      const answer = await bare(url, { headers: { Cookie: cookie } });
      expect(cookieOf(answer)).toBe(cookie);
      expect(answer.headers.get("set-cookie")).toContain("Max-Age=1800");
    }
    expect((await bare(url, { headers: { Cookie: `${cookie}x` } })).headers.has("set-cookie")).toBe(false);
  });

  /** Every write of a callback; the list has more numbers than there are writes. */
  const writes = ["PutItem", "UpdateItem", "DeleteItem"].flatMap((action) =>
    Array.from({ length: action === "PutItem" ? 6 : 2 }, (_, skip) => [action, skip] as const),
  );

  it.each(writes)(
    "recognizes its own write %s number %i when the answer to that write was lost",
    async (action, skip) => {
      const session = await createSession();
      const { url, cookie } = await callbackOf(session);
      const before = exchanges();
      const principal = "Connections";
      platform.frontDoor.fail({ service: "dynamodb", action, principal, skip, count: 1, reset: "after" });
      const answer = await bare(url, { headers: { Cookie: cookie } });
      platform.frontDoor.clearFaults();
      const value = new URL(answer.headers.get("location") ?? "").searchParams.get("claim");
      expect(value).not.toBeNull();
      expect(exchanges() - before).toBe(1);
      const claimed = await claim(session, value);
      expect(claimed.status).toBe(200);
      expect((await app.hub(claimed.body.token, "GET", "/hubs/documents/ping")).status).toBe(200);
    },
  );

  it.each([
    ["GetItem", 1],
    ["PutItem", 0],
    ["PutItem", 1],
    ["PutItem", 2],
  ])(
    "can be repeated when the table failed before the code was sent (%s number %i)",
    async (action, skip) => {
      const { url, cookie } = await callbackOf(await createSession());
      const before = exchanges();
      const fault = { code: "ProvisionedThroughputExceededException", skip, count: 12 };
      platform.frontDoor.fail({ service: "dynamodb", action, principal: "Connections", ...fault });
      const failed = await bare(url, { headers: { Cookie: cookie } });
      expect(failed.status).toBeGreaterThanOrEqual(500);
      expect(exchanges()).toBe(before);
      platform.frontDoor.clearFaults();
      const back = await bare(url, { headers: { Cookie: cookie } });
      expect(back.headers.get("location")).toContain("claim=");
      expect(exchanges() - before).toBe(1);
    },
  );
});
