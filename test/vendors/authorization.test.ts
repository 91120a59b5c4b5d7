import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../local/clock.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import {
  APP,
  allow,
  atStandIn,
  authorizationUrl,
  browser,
  pkce,
  REDIRECT_URI,
  signIn,
  VENDORS,
} from "./connect.ts";
import { vendorFetch } from "./vendor-fetch.ts";

interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly expires_in: number;
  readonly scope?: string;
  readonly error?: string;
}

describe.each(VENDORS)("$name's authorization server", (vendor) => {
  let clock: Clock;
  let standIn: StandIn;
  let fetchVendor: typeof fetch;

  beforeEach(async () => {
    clock = systemClock();
    standIn = await vendor.start(clock);
    fetchVendor = vendorFetch(standIn);
  });
  afterEach(() => standIn.close());

  const ask = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    fetchVendor(vendor.tokenUrl, { method: "POST", headers, body: new URLSearchParams(form) });
  const client = { client_id: APP.clientId, client_secret: APP.clientSecret };
  const exchange = (code: string, changes: Record<string, string> = {}) =>
    ask({ grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI, ...client, ...changes });
  const refresh = (refreshToken: string | undefined, changes: Record<string, string> = {}) =>
    ask({ grant_type: "refresh_token", refresh_token: refreshToken ?? "", ...client, ...changes });
  const codeFor = async (changes: Record<string, string> = {}, login?: string) =>
    (await allow(standIn, authorizationUrl(vendor, changes), login)).get("code") ?? "";
  const connect = async (login?: string): Promise<TokenAnswer> =>
    (await exchange(await codeFor({}, login))).json() as Promise<TokenAnswer>;
  const errorOf = async (response: Response) => {
    const body = (await response.json()) as TokenAnswer;
    return `${response.status} ${body.error}`;
  };

  const plainChallenge: [string, Record<string, string>] = [
    "a plain challenge",
    { code_challenge: "a".repeat(43), code_challenge_method: "plain" },
  ];

  it("sends code and state to the redirect URI exactly as registered, with its query", async () => {
    const person = browser();
    const page = await signIn(person, standIn, authorizationUrl(vendor));
    expect(page.text).toContain("Ada Lovelace");
    expect(page.text).toContain("stand-in");
    const end = await person.submit(page, /^allow$/i);
    expect(end.url.startsWith(`${REDIRECT_URI}&`)).toBe(true);
    expect(new URL(end.url).searchParams.get("state")).toBe("st&te = ü+%2B");
    expect(new URL(end.url).searchParams.get("code")).toMatch(/^.{20,}$/);
  });

  it("issues tokens for a code, and a new access token for the refresh token", async () => {
    const first = await connect("grace@example.com");
    expect(first.refresh_token).toBeTypeOf("string");
    expect((await vendor.probe(fetchVendor, first.access_token)).status).toBe(200);
    const again = (await (await refresh(first.refresh_token)).json()) as TokenAnswer;
    expect(again.access_token).not.toBe(first.access_token);
    expect(again.refresh_token === undefined).toBe(vendor.oauth.rotates !== true);
    expect(again.refresh_token).not.toBe(first.refresh_token);
    const answer = await vendor.probe(fetchVendor, again.access_token);
    expect(await answer.text()).toContain("grace@example.com");
    expect(standIn.tokenRequests("authorization_code")).toBe(1);
    expect(standIn.tokenRequests("refresh_token")).toBe(1);
    expect(standIn.living("grace@example.com")).toEqual({ grants: 1, accessTokens: 2 });
    expect(standIn.living("ada@example.com")).toEqual({ grants: 0, accessTokens: 0 });
  });

  it("sends access_denied with the state when the user refuses", async () => {
    const person = browser();
    const end = await person.submit(await signIn(person, standIn, authorizationUrl(vendor)), /^cancel$/i);
    const parameters = new URL(end.url).searchParams;
    expect(parameters.get("error")).toBe("access_denied");
    expect(parameters.get("state")).toBe("st&te = ü+%2B");
    expect(parameters.get("code")).toBeNull();
    expect(standIn.living()).toEqual({ grants: 0, accessTokens: 0 });
  });

  it.each<[string, Record<string, string>]>([
    ["another path", { redirect_uri: "http://127.0.0.1:9/app/other" }],
    ["one more letter", { redirect_uri: `${REDIRECT_URI}x` }],
    ["an unknown client", { client_id: "somebody-else" }],
    ["no client", { client_id: "" }],
    ["a response type that is not code", { response_type: "token" }],
    ["an unknown scope", { scope: "everything" }],
    ...(vendor.oauth.pkce ? [plainChallenge] : []),
  ])("shows an error page without a redirect for %s", async (_, changes) => {
    const page = await browser().open(atStandIn(standIn, authorizationUrl(vendor, changes)));
    expect(page.url.startsWith(standIn.origin)).toBe(true);
    expect([400, 401]).toContain(page.status);
    expect(page.text).not.toContain("<form");
  });

  it("shows on the login page that an account is unknown", async () => {
    const page = await signIn(browser(), standIn, authorizationUrl(vendor), "mallory@example.com");
    expect(page.status).toBe(400);
    expect(page.text).toContain("No account here");
  });

  it("accepts a code once; a second use ends the tokens of the first", async () => {
    const code = await codeFor();
    const first = (await (await exchange(code)).json()) as TokenAnswer;
    expect(await errorOf(await exchange(code))).toBe("400 invalid_grant");
    expect((await vendor.probe(fetchVendor, first.access_token)).status).toBe(401);
    expect(standIn.living()).toEqual({ grants: 0, accessTokens: 0 });
  });

  it("refuses an expired code", async () => {
    const code = await codeFor();
    clock.advance(11 * 60_000);
    expect(await errorOf(await exchange(code))).toBe("400 invalid_grant");
  });

  it("refuses a code with another redirect URI, and accepts it afterwards with the right one", async () => {
    const code = await codeFor();
    const wrong = await exchange(code, { redirect_uri: "http://127.0.0.1:9/app/callback" });
    expect(wrong.status).toBe(400);
    expect((await exchange(code)).status).toBe(200);
  });

  it.runIf(vendor.oauth.pkce)("accepts a code only with the verifier of its PKCE challenge", async () => {
    const { verifier, challenge } = pkce();
    const code = await codeFor({ code_challenge: challenge, code_challenge_method: "S256" });
    expect(await errorOf(await exchange(code))).toBe("400 invalid_grant");
    expect(await errorOf(await exchange(code, { code_verifier: pkce().verifier }))).toBe("400 invalid_grant");
    expect((await exchange(code, { code_verifier: verifier })).status).toBe(200);
  });

  it.runIf(vendor.oauth.pkce)(
    "refuses a verifier with the code of an authorization without a challenge",
    async () => {
      const code = await codeFor();
      expect(await errorOf(await exchange(code, { code_verifier: pkce().verifier }))).toBe(
        "400 invalid_grant",
      );
      expect((await exchange(code)).status).toBe(200);
    },
  );

  it("needs the client's secret, where the vendor accepts it", async () => {
    const code = await codeFor();
    const wrong = await exchange(code, { client_secret: "wrong" });
    expect(wrong.status).toBeGreaterThanOrEqual(400);
    expect(await wrong.text()).toContain("invalid_client");
    const unknown = await exchange(code, { client_id: "nobody" });
    expect(await unknown.text()).toContain("invalid_client");
    const basic = Buffer.from(`${APP.clientId}:${APP.clientSecret}`).toString("base64");
    const answer = await ask(
      { grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI },
      { Authorization: `Basic ${basic}` },
    );
    expect(answer.status).toBe(vendor.oauth.basic ? 200 : 400);
    if (!vendor.oauth.basic) expect((await exchange(code)).status).toBe(200);
  });

  it.each([
    ["no grant type", {}],
    ["an unknown grant type", { grant_type: "password" }],
    ["no code", { grant_type: "authorization_code" }],
    ["no refresh token", { grant_type: "refresh_token" }],
    ["an unknown refresh token", { grant_type: "refresh_token", refresh_token: "nobody's" }],
  ])("answers 400 to a token request with %s", async (_, form) => {
    const answer = await ask({ ...client, ...form });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as TokenAnswer).error).toBeTypeOf("string");
  });

  it("lets access tokens expire by its own clock, and refreshes them", async () => {
    standIn.setAccessTokenLifetime(600);
    const tokens = await connect();
    expect(tokens.expires_in).toBe(600);
    clock.advance(599_000);
    expect((await vendor.probe(fetchVendor, tokens.access_token)).status).toBe(200);
    clock.advance(1000);
    expect((await vendor.probe(fetchVendor, tokens.access_token)).status).toBe(401);
    const again = (await (await refresh(tokens.refresh_token)).json()) as TokenAnswer;
    expect((await vendor.probe(fetchVendor, again.access_token)).status).toBe(200);
  });

  it("can end access tokens or whole grants on demand", async () => {
    const tokens = await connect();
    standIn.expireAccessTokens("grace@example.com");
    expect((await vendor.probe(fetchVendor, tokens.access_token)).status).toBe(200);
    standIn.expireAccessTokens("ada@example.com");
    expect((await vendor.probe(fetchVendor, tokens.access_token)).status).toBe(401);
    const again = (await (await refresh(tokens.refresh_token)).json()) as TokenAnswer;
    standIn.revokeGrants();
    expect(await errorOf(await refresh(again.refresh_token ?? tokens.refresh_token))).toBe(
      "400 invalid_grant",
    );
    expect(standIn.living()).toEqual({ grants: 0, accessTokens: 0 });
  });

  it("revokes as the vendor documents it", async () => {
    const [one, other] = [await connect(), await connect()];
    expect((await vendor.revoke(fetchVendor, one.access_token)).status).toBe(200);
    expect((await vendor.probe(fetchVendor, one.access_token)).status).toBe(401);
    expect(await errorOf(await refresh(one.refresh_token))).toBe("400 invalid_grant");
    const endsAll = vendor.oauth.revokesAll === true;
    expect((await vendor.probe(fetchVendor, other.access_token)).status).toBe(endsAll ? 401 : 200);
    expect((await refresh(other.refresh_token)).status).toBe(endsAll ? 400 : 200);
  });

  it("writes no secret to its log", async () => {
    const code = await codeFor();
    const tokens = (await (await exchange(code)).json()) as TokenAnswer;
    await vendor.probe(fetchVendor, tokens.access_token);
    await fetchVendor(`${vendor.tokenUrl}?client_secret=${APP.clientSecret}&code=${code}`, {
      method: "POST",
    });
    const log = JSON.stringify(standIn.requests());
    expect(log.length).toBeGreaterThan(500);
    for (const secret of [code, tokens.access_token, tokens.refresh_token ?? "", APP.clientSecret]) {
      expect(log.includes(secret)).toBe(false);
    }
  });
});

describe("Google's authorization server", () => {
  it("issues a second refresh token only after asking for consent again", async () => {
    const vendor = VENDORS[1];
    if (vendor === undefined) throw new Error("no Google Drive");
    const standIn = await vendor.start(systemClock());
    const connect = async (changes: Record<string, string>) => {
      const code = (await allow(standIn, authorizationUrl(vendor, changes))).get("code") ?? "";
      const form = { grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI };
      const body = new URLSearchParams({ ...form, client_id: APP.clientId, client_secret: APP.clientSecret });
      return (await (
        await vendorFetch(standIn)(vendor.tokenUrl, { method: "POST", body })
      ).json()) as TokenAnswer;
    };
    expect((await connect({ prompt: "" })).refresh_token).toBeTypeOf("string");
    expect((await connect({ prompt: "" })).refresh_token).toBeUndefined();
    expect((await connect({ prompt: "consent" })).refresh_token).toBeTypeOf("string");
    expect((await connect({ access_type: "" })).refresh_token).toBeUndefined();
    await standIn.close();
  });

  it("adds its issuer and the granted scopes to the redirect", async () => {
    const vendor = VENDORS[1];
    if (vendor === undefined) throw new Error("no Google Drive");
    const standIn = await vendor.start(systemClock());
    const back = await allow(standIn, authorizationUrl(vendor));
    expect(back.get("iss")).toBe("https://accounts.google.com");
    expect(back.get("scope")).toBe("https://www.googleapis.com/auth/drive");
    await standIn.close();
  });
});
