import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Connector, defineConnector } from "../../../functions/connectors/define-connector.ts";
import type { TokenHooks } from "../../../functions/connectors/token-hooks.ts";
import { cutSecrets } from "../../../functions/core/cut-secrets.ts";
import type { TokenOutcome } from "../../../functions/core/oauth/ports.ts";
import { tokenEndpoint } from "../../../functions/core/oauth/token-endpoint.ts";
import { createVendorHttp } from "../../../functions/vendor-http/vendor-http.ts";
import {
  eternal,
  json,
  longlived,
  milliseconds,
  query,
  rotating,
  text,
  unknown,
} from "../../vendor-kinds/connectors.ts";
import { vendorKindHooks } from "../../vendor-kinds/hooks.ts";
import { type VendorKind, VendorKindsServer, vendorClient } from "../../vendor-kinds/server.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Hooks that replace the connector's own. */
let other: TokenHooks | undefined;
const endpoint = tokenEndpoint(
  createVendorHttp(),
  async (connector) => other ?? (await vendorKindHooks(connector)),
);
const client = vendorClient;

let now: number;
let vendors: VendorKindsServer;
beforeEach(async () => {
  now = 1_700_000_000_000;
  other = undefined;
  vendors = await VendorKindsServer.start(() => now);
  process.env.LINKSPAN_VENDOR_ENDPOINTS = JSON.stringify(vendors.hosts);
});
afterEach(async () => {
  delete process.env.LINKSPAN_VENDOR_ENDPOINTS;
  await vendors.close();
});

const exchange = (connector: Connector, code = vendors.code(connector.key as VendorKind)) =>
  endpoint.exchangeCode(connector, client, {
    code,
    redirectUri: "https://app.example/cb",
    values: {},
    timeoutMs: 10_000,
  });
const refresh = (connector: Connector, refreshToken: string, shortLived = false) =>
  endpoint.refresh(connector, client, {
    refreshToken,
    shortLived,
    values: {},
    timeoutMs: 10_000,
    beforeSend: () => {},
  });
const granted = (outcome: TokenOutcome) => {
  if (outcome.kind !== "granted") throw new Error(`not granted: ${JSON.stringify(outcome)}`);
  return outcome.response;
};

describe("a connector's hooks", () => {
  it.each([query, json, rotating])(
    "$key: exchange and refresh have the form that the vendor wants",
    async (connector) => {
      const first = granted(await exchange(connector));
      expect(first).toMatchObject({ tokenType: "bearer", expiresInMs: HOUR });
      const next = granted(await refresh(connector, first.refreshToken ?? ""));
      expect(next.accessToken).not.toBe(first.accessToken);
      expect(vendors.tokenRequests.map(({ fields }) => fields.grant_type)).toEqual([
        "authorization_code",
        "refresh_token",
      ]);
    },
  );

  it("recognize a refusal with status 200", async () => {
    expect(await refresh(json, "a dead token")).toMatchObject({ kind: "invalid_grant", description: "dead" });
  });

  it("can send requests only to hosts that the connector declares", async () => {
    const leads = (url: string): TokenHooks => ({ tokenRequest: (request) => ({ ...request, url }) });
    other = leads("https://longlived.vendor.example/token");
    const outcome = await refresh(query, "token");
    expect(outcome).toMatchObject({ kind: "never_sent", reason: expect.stringContaining("declares") });
    expect(vendors.tokenRequests).toEqual([]);
    other = leads("https://query.vendor.example/elsewhere");
    await refresh(query, "token");
    expect(vendors.tokenRequests[0]?.path).toBe("/elsewhere");
  });

  it("that throw leave a request unsent, or its result unknown when the vendor may have acted", async () => {
    const fails = (): never => {
      throw new Error("a defect, with kinds+secret/= in it");
    };
    other = { tokenRequest: fails };
    expect(await exchange(rotating)).toEqual({
      kind: "never_sent",
      reason: "Error: a defect, with ******** in it",
    });
    other = { tokenResponse: fails };
    expect(await exchange(rotating)).toMatchObject({ kind: "unknown" });
  });

  it("that cannot be loaded leave a request unsent, so the code can be used again", async () => {
    const lost: Connector = { ...rotating, oauth2: { ...rotating.oauth2, hooks: "no-such-file" } };
    expect(await exchange(lost)).toEqual({
      kind: "never_sent",
      reason: "the connector's hooks cannot be loaded",
    });
    expect(vendors.tokenRequests).toEqual([]);
  });

  it("never bring a secret from a query into an error", async () => {
    const token = 'a token/with+signs "and" é!';
    vendors.intervene = ({ fields }) => ({
      status: 400,
      body: {
        error: "invalid_request",
        error_description: `${new URLSearchParams(fields)} ${JSON.stringify(fields)}`,
      },
    });
    const outcome = await refresh(query, token);
    expect(outcome).toMatchObject({ kind: "refused", status: 400 });
    const { description = "" } = outcome as { description?: string };
    expect(description).toContain("refresh_token=********");
    expect(description).toContain('"refresh_token":"********"');
    expect(description).toContain("client_secret=********");
  });

  it("never bring a query into an error when the vendor cannot be reached or breaks the connection", async () => {
    const secrets = /a-token|kinds|grant_type/;
    vendors.intervene = () => ({ status: 200, body: { error: { message: "odd" } } });
    expect(JSON.stringify(await refresh(query, "a-token"))).not.toMatch(secrets);
    await vendors.close();
    const outcome = await refresh(query, "a-token");
    expect(outcome.kind).toBe("never_sent");
    expect(JSON.stringify(outcome)).not.toMatch(secrets);
    vendors = await VendorKindsServer.start();
  });

  it("can have a secret cut out in each of its encodings", () => {
    const secret = "a b/c+d\"e'";
    const forms = [secret, encodeURIComponent(secret), "a+b%2Fc%2Bd%22e%27", "a b/c+d\\\"e'"];
    expect(cutSecrets(forms.join("|"), [secret])).toBe(forms.map(() => "********").join("|"));
  });
});

describe("an answer's lifetime", () => {
  it.each([
    [milliseconds, HOUR],
    [text, HOUR],
    [unknown, undefined],
    [eternal, undefined],
  ] as const)("of the $key vendor is read correctly", async (connector, expiresInMs) => {
    expect(granted(await exchange(connector)).expiresInMs).toBe(expiresInMs);
  });

  it.each([2 ** 63, 1e30, 4_000_000_000])("of %d s is out of range, so it is unknown", async (expires_in) => {
    vendors.intervene = () => ({ status: 200, body: { access_token: "a", expires_in } });
    expect(granted(await exchange(text))).not.toHaveProperty("expiresInMs");
  });

  it("does not depend on the status: a grant with status 201 is read", async () => {
    vendors.intervene = () => ({ status: 201, body: { access_token: "a", token_type: "bearer" } });
    expect(granted(await exchange(text)).accessToken).toBe("a");
  });
});

describe("a long-lived token", () => {
  it("is obtained by two requests of a code exchange, and the access token is its own refresh token", async () => {
    const first = granted(await exchange(longlived));
    expect(first).toEqual({
      accessToken: first.accessToken,
      refreshToken: first.accessToken,
      tokenType: "bearer",
      expiresInMs: 60 * DAY,
      extra: { user_id: "17841405793187218" },
    });
    expect(vendors.tokenRequests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /token",
      "GET /access_token",
    ]);
    expect(Object.keys(vendors.tokenRequests[1]?.fields ?? {}).toSorted()).toEqual([
      "access_token",
      "client_secret",
      "grant_type",
    ]);
  });

  it("is renewed with itself, without the client's secret in a query", async () => {
    const { accessToken } = granted(await exchange(longlived));
    now += 2 * DAY;
    const next = granted(await refresh(longlived, accessToken));
    expect(next.refreshToken).toBe(next.accessToken);
    expect(next.accessToken).not.toBe(accessToken);
    expect(vendors.tokenRequests[2]?.fields).toEqual({
      grant_type: "th_refresh_token",
      access_token: accessToken,
    });
  });

  it("that has expired is dead, and the shown words of the vendor do not contain it", async () => {
    const { accessToken } = granted(await exchange(longlived));
    now += 60 * DAY;
    const outcome = await refresh(longlived, accessToken);
    expect(outcome).toMatchObject({ kind: "invalid_grant" });
    expect(JSON.stringify(outcome)).toContain("Session has expired: ********");
  });

  it.each([
    [
      { code: 4, message: "too many calls" },
      { kind: "refused", status: 429 },
    ],
    [
      { code: 190, error_subcode: 459, message: "checkpoint" },
      { kind: "refused", error: "graph_190" },
    ],
    [
      { code: 1, message: "an unknown error" },
      { kind: "refused", error: "graph_1" },
    ],
  ])("is not dead after Graph's error %j", async (error, outcome) => {
    vendors.intervene = () => ({ status: 400, body: { error: { type: "OAuthException", ...error } } });
    expect(await refresh(longlived, "token")).toMatchObject(outcome);
  });

  it.each(["0", "1", "90071992547409931234", "1.50"])(
    "is not replaced by the flag %s when a hook builds its own body",
    async (flag) => {
      type Data = { readonly access_token?: unknown; readonly refresh_token?: unknown };
      const rebuilding: TokenHooks = {
        tokenResponse: ({ status, body }) => {
          const { access_token, refresh_token } = body.data as Data;
          return { status, body: { access_token, refresh_token } };
        },
      };
      const { readTokenResponse } = await import("../../../functions/core/oauth/token-response.ts");
      const { Readable } = await import("node:stream");
      const read = async (text: string) => {
        const body = Readable.from([Buffer.from(text)]);
        const answer = { status: 200, headers: {}, rawHeaders: [], url: "", body };
        const wire = {
          connector: rotating,
          hooks: rebuilding,
          kind: "refresh_token",
          values: {},
          refreshToken: "old",
        } as const;
        return (await (await readTokenResponse(answer, 1_000, wire)).response.json()) as Data;
      };
      expect(await read(`{"data":{"access_token":"a","refresh_token":${flag}}}`)).not.toHaveProperty(
        "refresh_token",
      );
      expect(
        await read(`{"refresh_token":${flag},"data":{"access_token":"a","refresh_token":"r"}}`),
      ).toMatchObject({ refresh_token: "r" });
    },
  );

  it("may have ids beyond 2^53, which are read digit by digit", async () => {
    vendors.intervene = () => undefined;
    const { readTokenResponse } = await import("../../../functions/core/oauth/token-response.ts");
    const { Readable } = await import("node:stream");
    const read = await readTokenResponse(
      {
        status: 200,
        headers: {},
        rawHeaders: [],
        url: "",
        body: Readable.from([
          Buffer.from('{"access_token":"a","user_id":17841405793187218,"small":12,"share":0.5}'),
        ]),
      },
      1_000,
    );
    expect(await read.response.json()).toMatchObject({
      user_id: "17841405793187218",
      small: 12,
      share: 0.5,
    });
  });

  describe("when the second request of a code exchange fails", () => {
    const second = (answer: { status: number; body: unknown }) => {
      vendors.intervene = ({ path }) => (path === "/access_token" ? answer : undefined);
    };

    it.each([
      ["is down", { status: 503, body: {} }],
      ["sends an unreadable answer", { status: 200, body: "?" }],
      ["limits our calls", { status: 400, body: { error: { code: 17 } } }],
    ])("because the vendor %s, the short-lived token is the grant and marked so", async (_, answer) => {
      second(answer);
      const kept = granted(await exchange(longlived));
      expect(kept).toMatchObject({ shortLived: true, expiresInMs: HOUR, refreshToken: kept.accessToken });
      second({ status: 500, body: {} });
      expect(await refresh(longlived, kept.accessToken, true)).toMatchObject({ kind: "unknown" });
      vendors.intervene = () => undefined;
      const long = granted(await refresh(longlived, kept.accessToken, true));
      expect(long).not.toHaveProperty("shortLived");
      expect(long.expiresInMs).toBe(60 * DAY);
    });

    it("because the vendor says that the token is invalid, the sign-in fails too", async () => {
      second({ status: 400, body: { error: { code: 190, message: "no" } } });
      expect(await exchange(longlived)).toMatchObject({ kind: "invalid_grant", description: "no" });
    });

    it("a failed first request is not followed by a second one", async () => {
      expect(await exchange(longlived, "wrong code")).toMatchObject({ kind: "invalid_grant" });
      expect(vendors.tokenRequests).toHaveLength(1);
    });
  });
});

describe("a connector", () => {
  it("renews its grants in only one way, and knows the lifetime of a long-lived token", () => {
    const { longLivedToken } = longlived.oauth2;
    expect(() => defineConnector({ ...rotating, oauth2: { ...rotating.oauth2, longLivedToken } })).toThrow(
      "set longLivedToken or refreshToken",
    );
    expect(() => defineConnector({ ...longlived, oauth2: { ...longlived.oauth2, accessToken: {} } })).toThrow(
      "defaultLifetimeMs",
    );
    const insecure = {
      ...longLivedToken,
      renewal: { ...longLivedToken.renewal, url: "http://vendor.example" },
    };
    expect(() =>
      defineConnector({ ...longlived, oauth2: { ...longlived.oauth2, longLivedToken: insecure } }),
    ).toThrow("https");
  });
});
