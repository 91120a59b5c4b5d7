import { createHash } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogueEntries } from "../../functions/connectors/catalogue.ts";
import { type SeenAnswer, seenAnswers } from "../../local/api-gateway/seen-answers.ts";
import { undocumented } from "../openapi/answer-checker.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App } from "./app.ts";
import { appOfAnotherOrganization, operatorOf, scanTable } from "./tenants.ts";

interface UrlAnswer {
  readonly element: string;
  readonly oauthUrl: string;
  readonly state?: string;
  readonly expiresAt?: string;
}

interface Problem {
  readonly requestId: string;
  readonly message: string;
  readonly code: string;
  readonly detail?: { readonly field?: string };
}

let platform: RunningPlatform;
let app: App;
beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
});
afterAll(() => platform.close());

describe("the catalogue", () => {
  it("needs no authorization", async () => {
    const hubs = await app.call<{ key: string; name: string }[]>("GET", "/hubs");
    expect(hubs.body).toEqual([expect.objectContaining({ key: "documents", name: "Documents" })]);
    expect((await app.call("GET", "/hubs/keys")).body).toEqual(["documents"]);
    expect((await app.call("GET", "/hubs/documents")).body).toMatchObject({ key: "documents" });
    const ofHub = await app.call<{ key: string }[]>("GET", "/hubs/documents/elements");
    const keys = (await catalogueEntries()).map(({ key }) => key).toSorted();
    expect(keys).toContain("dropbox");
    expect(ofHub.body.map(({ key }) => key)).toEqual(keys);
    expect((await app.call("GET", "/elements/keys")).body).toEqual(keys);
    const all = await app.call("GET", "/elements");
    expect(all.headers.get("elements-returned-count")).toBe(String(keys.length));
  });

  it.each(["/elements", "/elements/keys", "/elements/metadata", "/hubs/documents/elements"])(
    "%s has pages without gap or overlap",
    async (path) => {
      const page = (query: string) => app.call<unknown[]>("GET", `${path}?${query}`);
      const all = await page("");
      // Two pages, the second one not longer than the first.
      const size = Math.ceil(all.body.length / 2);
      const first = await page(`pageSize=${size}`);
      const token = first.headers.get("elements-next-page-token");
      const second = await page(`pageSize=${size}&nextPage=${token}`);
      expect([...first.body, ...second.body]).toEqual(all.body);
      expect((await page(`pageSize=${size}&page=2`)).body).toEqual(second.body);
      expect(first.headers.get("elements-returned-count")).toBe(String(size));
      expect(first.headers.get("elements-total-count")).toBe(String(all.body.length));
      for (const last of [all, second, await page("page=3")])
        expect(last.headers.has("elements-next-page-token")).toBe(false);
      expect(await page("page=3")).toMatchObject({ status: 200, body: [] });

      const other = path === "/elements" ? "/elements/keys" : "/elements";
      expect((await app.call("GET", `${other}?nextPage=${token}`)).status).toBe(400);
      for (const [query, field] of [
        ["pageSize=0", "pageSize"],
        ["pageSize=2001", "pageSize"],
        ["page=x", "page"],
        ["nextPage=made-up", "nextPage"],
      ] as const) {
        expect(await page(query)).toMatchObject({ status: 400, body: { detail: { field } } });
      }
    },
  );

  it("can be checked against the API description by a subscriber that sees every answer", async () => {
    const seen: SeenAnswer[] = [];
    const note = (answer: unknown) => void seen.push(answer as SeenAnswer);
    subscribe(seenAnswers.name, note);
    await app.call("GET", "/hubs/keys");
    await app.call("GET", "/hubs/none");
    unsubscribe(seenAnswers.name, note);
    expect(seen.map(({ url, status }) => [url, status])).toEqual([
      ["/elements/api-v2/hubs/keys", 200],
      ["/elements/api-v2/hubs/none", 404],
    ]);
    expect(seen[0]?.body?.toString()).toBe('["documents"]');
    const wrong = { ...(seen[0] as SeenAnswer), body: Buffer.from("[1]") };
    expect([undocumented(seen[0] as SeenAnswer).length, undocumented(wrong).length]).toEqual([0, 1]);
  });

  it("serves the description of the whole API, without authorization", async () => {
    const { status, headers, body } = await app.call<object>("GET", "/openapi.json");
    expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
    const kept = await readFile(new URL("../../docs/openapi.json", import.meta.url), "utf8");
    expect(body).toEqual(JSON.parse(kept));
  });

  it("finds a connector by key and by number, with texts that are never null", async () => {
    const byKey = await app.call<Record<string, unknown>>("GET", "/elements/dropbox");
    const byId = await app.call("GET", "/elements/22");
    expect(byKey.status).toBe(200);
    expect(byId.body).toEqual(byKey.body);
    expect(byKey.body).toMatchObject({
      id: 22,
      typeOauth: true,
      active: true,
      authentication: { type: "oauth2" },
    });
    for (const field of ["name", "key", "description", "image"])
      expect(byKey.body[field]).toEqual(expect.any(String));
  });

  it("serves each connector's tile", async () => {
    const { body } = await app.call<{ image: string }>("GET", "/elements/googledrive");
    const image = await app.call<string>("GET", `/elements/images/${body.image}`);
    expect(image.status).toBe(200);
    expect(image.headers.get("content-type")).toBe("image/svg+xml");
    expect(image.body).toContain("<svg");
    expect((await app.call("GET", "/elements/images/nothing.svg")).status).toBe(404);
  });

  it("says what a connector supports", async () => {
    const one = await app.call<Record<string, unknown>>("GET", "/elements/dropbox/metadata");
    expect(one.body).toMatchObject({
      id: 22,
      key: "dropbox",
      name: "Dropbox",
      events: { supported: false, methods: [] },
      authentication: { pkce: true },
    });
    const all = await app.call<unknown[]>("GET", "/elements/metadata");
    expect(all.body).toContainEqual(one.body);
  });

  it.each([
    "/elements/nothing",
    "/elements/99999",
    "/elements/nothing/metadata",
    "/hubs/nothing",
    "/hubs/nothing/elements",
  ])("answers 404 to %s", async (path) => {
    const answer = await app.call<Problem>("GET", path);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ requestId: expect.any(String), message: expect.any(String) });
    expect(answer.headers.get("elements-request-id")).toBe(answer.body.requestId);
  });

  it("answers 501 for calls that no connector supports", async () => {
    expect((await app.call("GET", "/elements/dropbox/oauth/token")).status).toBe(501);
  });
});

describe.each(["dropbox", "googledrive"])("GET /elements/%s/oauth/url", (connector) => {
  const path = (query: Record<string, string>) =>
    `/elements/${connector}/oauth/url?${new URLSearchParams(query)}`;
  const own = { apiKey: "my key", apiSecret: "my secret", callbackUrl: "https://app.example/cb?x=1" };

  it("works without any header, and stores nothing", async () => {
    platform.frontDoor.clearCalls();
    const answer = await app.call<UrlAnswer>("GET", path({ ...own, state: "my state +%", scope: "" }));
    expect(answer.status).toBe(200);
    expect(answer.body.element).toBe(connector);
    const { searchParams } = new URL(answer.body.oauthUrl);
    expect(searchParams.get("response_type")).toBe("code");
    expect(searchParams.get("client_id")).toBe("my key");
    expect(searchParams.get("redirect_uri")).toBe("https://app.example/cb?x=1");
    expect(searchParams.get("state")).toBe("my state +%");
    expect(searchParams.has("code_challenge")).toBe(false);
    expect(answer.body.oauthUrl).not.toContain("secret");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("deprecation")).toMatch(/^@\d+$/);
    expect(answer.headers.get("link")).toContain(
      `/elements/${connector}/oauth/url>; rel="successor-version"`,
    );
    expect(platform.frontDoor.calls()).toEqual([]);
  });

  it("uses the connector's key as state when the caller gives none", async () => {
    const answer = await app.call<UrlAnswer>("GET", path(own));
    expect(new URL(answer.body.oauthUrl).searchParams.get("state")).toBe(connector);
  });

  it("asks for the given scopes, or for the connector's default scopes", async () => {
    const asked = await app.call<UrlAnswer>("GET", path({ ...own, scope: "one two" }));
    expect(new URL(asked.body.oauthUrl).searchParams.get("scope")).toBe("one two");
    const usual = await app.call<UrlAnswer>("GET", path(own));
    expect(new URL(usual.body.oauthUrl).searchParams.get("scope")?.length).toBeGreaterThan(5);
  });

  it("uses the registered app for an authorized call, and never for an unauthorized one", async () => {
    const { clientId, callbackUrls } = app.settings.connectors[connector] ?? {};
    const authorized = await app.platform<UrlAnswer>("GET", path({}));
    const { searchParams } = new URL(authorized.body.oauthUrl);
    expect(searchParams.get("client_id")).toBe(clientId);
    expect(searchParams.get("redirect_uri")).toBe(callbackUrls?.[0]);
    const bare = await app.call<Problem>("GET", path({ callbackUrl: "https://app.example/cb" }));
    expect(bare.status).toBe(400);
    expect(bare.body.detail?.field).toBe("apiKey");
    expect(bare.headers.get("cache-control")).toBe("no-store");
    expect(bare.headers.get("deprecation")).toMatch(/^@\d+$/);
    expect(bare.headers.get("link")).toContain(`/elements/${connector}/oauth/url>`);
  });

  it("accepts a callback URL with an app's own scheme, which the vendor will check", async () => {
    const callbackUrl = "com.example.app:/oauth/cb";
    const answer = await app.call<UrlAnswer>("GET", path({ ...own, callbackUrl }));
    expect(new URL(answer.body.oauthUrl).searchParams.get("redirect_uri")).toBe(callbackUrl);
  });

  it("prefers the caller's own client to the registered app", async () => {
    const answer = await app.platform<UrlAnswer>("GET", path(own));
    expect(new URL(answer.body.oauthUrl).searchParams.get("client_id")).toBe("my key");
  });

  it.each([
    [{ apiKey: "k" }, "callbackUrl"],
    [{ apiKey: "k", callbackUrl: "not a url" }, "callbackUrl"],
    [{ apiKey: "k", callbackUrl: "https://app.example/#fragment" }, "callbackUrl"],
    [{ apiKey: "k", callbackUrl: "javascript:alert(1)" }, "callbackUrl"],
    [{ apiKey: "k", callbackUrl: "DATA:text/html,x" }, "callbackUrl"],
    [{ apiKey: "k", callbackUrl: "file:///etc/passwd" }, "callbackUrl"],
  ])("answers 400 to %j, naming %s", async (query, field) => {
    const answer = await app.call<Problem>("GET", path(query as Record<string, string>));
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: "invalid_request", detail: { field } });
  });
});

describe.each(["dropbox", "googledrive"])("POST /elements/%s/oauth/url", (connector) => {
  const path = `/elements/${connector}/oauth/url`;

  it("gives a single-use state of 256 bits and PKCE; the store contains neither the state nor the verifier in plain text", async () => {
    const one = await app.platform<UrlAnswer>("POST", path, { state: "basket 7" });
    const two = await app.platform<UrlAnswer>("POST", path, {});
    expect(one.status).toBe(200);
    expect(one.body.state).toMatch(/^ls_[\w-]{43}$/);
    expect(two.body.state).not.toBe(one.body.state);
    const { searchParams } = new URL(one.body.oauthUrl);
    expect(searchParams.get("state")).toBe(one.body.state);
    expect(searchParams.get("code_challenge_method")).toBe("S256");
    expect(searchParams.get("code_challenge")).toMatch(/^[\w-]{43}$/);
    const inMinutes = (Date.parse(one.body.expiresAt ?? "") - platform.clock.now()) / 60_000;
    expect(inMinutes).toBeGreaterThan(28);
    expect(inMinutes).toBeLessThan(32);
    const state = one.body.state ?? "";
    const kept = await scanTable(platform, "TransientsTable");
    expect(kept).toContain(`authorization#${createHash("sha256").update(state).digest("base64url")}`);
    expect(kept).not.toContain(state);
    expect(kept).toContain("basket 7");
  });

  it("leaves out PKCE when the caller asks for that", async () => {
    const answer = await app.platform<UrlAnswer>("POST", path, { pkce: false });
    expect(new URL(answer.body.oauthUrl).searchParams.has("code_challenge")).toBe(false);
  });

  it("answers the app's own state together with the instance", async () => {
    const { oauthUrl } = await app.authorizationUrl(connector, { state: "basket 7" });
    const back = await app.consent(connector, oauthUrl);
    const made = await app.platform<{ state: string }>("POST", "/instances", {
      element: { key: connector },
      providerData: Object.fromEntries(back.searchParams),
      name: "With a state",
    });
    expect(made.status).toBe(200);
    expect(made.body.state).toBe("basket 7");
  });

  it("accepts only a callback URL of the registered app, compared exactly", async () => {
    const wrong = `${app.callbackUrl(connector)}/`;
    const answer = await app.platform<Problem>("POST", path, { callbackUrl: wrong });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: "redirect_uri_mismatch", detail: { field: "callbackUrl" } });
  });

  it("needs the secrets of a user", async () => {
    expect((await app.call("POST", path, { json: {} })).status).toBe(401);
  });
});

describe("an organization without an app", () => {
  it("gets an error that says that the client is missing", async () => {
    const other = await appOfAnotherOrganization(platform);
    const admin = operatorOf(platform);
    const organization = (await admin.listOrganizations()).find(({ name }) => name === "Other");
    for (const { id, connector } of await admin.listApps(organization?.id ?? "")) {
      await admin.removeApp({ organizationId: organization?.id ?? "", connector, appId: id });
    }
    const answer = await other.platform<Problem>("POST", "/elements/dropbox/oauth/url", {
      callbackUrl: "https://app.example/cb",
    });
    expect(answer.status).toBe(400);
    expect(answer.body.detail?.field).toBe("apiKey");
  });
});
