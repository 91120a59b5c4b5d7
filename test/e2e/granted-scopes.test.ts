import { afterAll, beforeAll, expect, it } from "vitest";
import { FormBrowser, type Page } from "../form-browser.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance, passVendor } from "./app.ts";
import { operatorOf } from "./tenants.ts";

const DRIVE = "https://www.googleapis.com/auth/drive";
const RETURN_URL = "https://app.example/back";
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

interface Scopes {
  readonly scopes: readonly string[] | null;
  readonly missingScopes: readonly string[];
}
const statusOf = async (id: number) => (await app.platform<Scopes>("GET", `/instances/${id}/status`)).body;

/** Signs in at the vendor and ticks only the given boxes of its consent page. */
async function tick(person: FormBrowser, login: Page, scope: string): Promise<Page> {
  const consent = await person.submit(login, /sign in/i);
  expect(consent.text).toContain('type="checkbox"');
  return await person.submit(consent, /allow/i, { scope });
}

it("a user who unticks Drive gets a connection that lists the missing scope", async () => {
  const { oauthUrl, state } = await app.authorizationUrl("googledrive", { scope: `${DRIVE} email` });
  const person = new FormBrowser({ stopAt: (url) => url.startsWith(app.callbackUrl("googledrive")) });
  const back = await tick(person, await person.open(oauthUrl), "email");
  const code = new URL(back.url).searchParams.get("code");
  const made = await app.platform<CreatedInstance & Partial<Scopes>>("POST", "/instances", {
    element: { key: "googledrive" },
    providerData: { code, state },
  });
  expect([made.status, made.body.missingScopes]).toEqual([200, [DRIVE]]);
  expect(await statusOf(made.body.id)).toMatchObject({ scopes: ["email"], missingScopes: [DRIVE] });
});

it("a user who ticks every box gets a connection without missing scopes", async () => {
  const made = await app.connect("googledrive");
  expect(made).not.toHaveProperty("missingScopes");
  expect(await statusOf(made.id)).toMatchObject({ scopes: [DRIVE], missingScopes: [] });
});

it("the hosted flow names the missing scopes on the return URL and in the claim's answer", async () => {
  const session = await app.platform<{ id: string; connectUrl: string }>("POST", "/connect/sessions", {
    element: { key: "googledrive" },
    returnUrl: RETURN_URL,
    endUser: "user-1",
    configuration: { "oauth.scope": `${DRIVE} email` },
  });
  const person = new FormBrowser({ stopAt: (url) => url.startsWith("https://app.example/") });
  const login = await person.submit(await person.open(session.body.connectUrl), /google/i);
  const back = new URL((await tick(person, login, DRIVE)).url);
  await platform.settled();
  expect(back.searchParams.get("missing_scopes")).toBe("email");
  const claimed = await app.platform<CreatedInstance & Partial<Scopes>>(
    "POST",
    `/connect/sessions/${session.body.id}/claim`,
    { claim: back.searchParams.get("claim"), endUser: "user-1" },
  );
  expect([claimed.status, claimed.body.missingScopes]).toEqual([200, ["email"]]);
});

it("the hosted flow passes on the vendor's reason for a refusal", async () => {
  const session = await app.platform<{ id: string; connectUrl: string }>("POST", "/connect/sessions", {
    element: { key: "googledrive" },
    returnUrl: RETURN_URL,
    endUser: "user-1",
  });
  platform.vendors.googledrive?.fail({
    path: "/token",
    status: 400,
    body: JSON.stringify({
      error: "invalid_grant",
      error_description: `An admin\r\nmust allow ${app.settings.connectors.googledrive?.clientSecret} first.`,
    }),
    headers: { "Content-Type": "application/json" },
  });
  const person = new FormBrowser({ stopAt: (url) => url.startsWith("https://app.example/") });
  const login = await person.submit(await person.open(session.body.connectUrl), /google/i);
  const { searchParams } = new URL((await passVendor(person, login)).url);
  expect([searchParams.get("error"), searchParams.get("error_description")]).toEqual([
    "invalid_code",
    "An admin must allow ******** first.",
  ]);
});
