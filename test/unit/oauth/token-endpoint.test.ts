import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hooksOf } from "../../../functions/connectors/catalogue.ts";
import { defineConnector } from "../../../functions/connectors/define-connector.ts";
import dropbox from "../../../functions/connectors/vendors/dropbox.ts";
import type { TokenOutcome } from "../../../functions/core/oauth/ports.ts";
import { tokenEndpoint } from "../../../functions/core/oauth/token-endpoint.ts";
import { createVendorHttp } from "../../../functions/vendor-http/vendor-http.ts";
import { VendorServer } from "./vendor-server.ts";

const client = { id: "client-id", secret: "client:secret/+" };
const endpoint = tokenEndpoint(createVendorHttp(), hooksOf);
const withBasic = defineConnector({
  ...dropbox,
  key: "basicvendor",
  oauth2: { ...dropbox.oauth2, clientAuthentication: "client_secret_basic" },
});

let vendor: VendorServer;
beforeEach(async () => {
  vendor = await VendorServer.start("api.dropboxapi.com");
});
afterEach(() => vendor.close());

const refresh = (connector = dropbox as Parameters<typeof endpoint.refresh>[0], timeoutMs = 5_000) =>
  endpoint.refresh(connector, client, {
    refreshToken: "old-refresh-token",
    values: {},
    timeoutMs,
    beforeSend: () => {},
  });

const granted = (outcome: TokenOutcome) => {
  if (outcome.kind !== "granted") throw new Error(`not granted: ${JSON.stringify(outcome)}`);
  return outcome.response;
};

describe("a token request on the wire", () => {
  it("sends the code, its redirect URI and the verifier, with the client in the form", async () => {
    vendor.json(200, { access_token: "a", token_type: "bearer", expires_in: 14_400, refresh_token: "r" });
    const outcome = await endpoint.exchangeCode(dropbox, client, {
      code: "the code",
      redirectUri: "https://app.example/cb?x=1",
      codeVerifier: "v".repeat(43),
      values: {},
      timeoutMs: 5_000,
    });
    expect(granted(outcome)).toEqual({
      accessToken: "a",
      tokenType: "bearer",
      refreshToken: "r",
      expiresInMs: 14_400_000,
    });
    const [seen] = vendor.seen;
    expect(seen).toMatchObject({ method: "POST", path: "/oauth2/token" });
    expect(seen?.headers["accept-encoding"]).toBe("identity");
    expect(Object.fromEntries(seen?.form ?? [])).toEqual({
      grant_type: "authorization_code",
      code: "the code",
      redirect_uri: "https://app.example/cb?x=1",
      code_verifier: "v".repeat(43),
      client_id: client.id,
      client_secret: client.secret,
    });
  });

  it("sends no verifier when there is none", async () => {
    vendor.json(200, { access_token: "a", token_type: "bearer" });
    await endpoint.exchangeCode(dropbox, client, {
      code: "c",
      redirectUri: "https://app.example/cb",
      values: {},
      timeoutMs: 5_000,
    });
    expect(vendor.seen[0]?.form.has("code_verifier")).toBe(false);
  });

  it("puts the form-encoded client into the Authorization header for a vendor with Basic", async () => {
    vendor.json(200, { access_token: "a", token_type: "bearer" });
    await refresh(withBasic);
    const [seen] = vendor.seen;
    const [user, password] = Buffer.from(String(seen?.headers.authorization).replace("Basic ", ""), "base64")
      .toString()
      .split(":");
    const decoded = new URLSearchParams(`u=${user}&p=${password}`);
    expect([decoded.get("u"), decoded.get("p")]).toEqual([client.id, client.secret]);
    expect(seen?.form.has("client_secret")).toBe(false);
  });

  it("uses a new connection for each request", async () => {
    vendor.json(200, { access_token: "a", token_type: "bearer" });
    const ports = new Set<number | undefined>();
    const answer = vendor.answer;
    vendor.answer = (response, request) => {
      ports.add(request.socket.remotePort);
      answer(response, request);
    };
    await refresh();
    await refresh();
    expect(ports.size).toBe(2);
  });
});

describe("a grant is read from different forms of answers", () => {
  it.each([
    ["expires_in as a string", { expires_in: "3599" }, 3_599_000],
    ["expires_in with a fraction", { expires_in: 1.5 }, 1_500],
    ["no expires_in", {}, undefined],
    ["expires_in that is not a number", { expires_in: "soon" }, undefined],
    ["expires_in null", { expires_in: null }, undefined],
    ["expires_in below zero", { expires_in: -1 }, undefined],
  ])("%s", async (_, member, expiresInMs) => {
    vendor.json(200, { access_token: "a", token_type: "Bearer", ...member });
    expect(granted(await refresh()).expiresInMs).toBe(expiresInMs);
  });

  it("keeps other members as texts, without ID tokens and nested members", async () => {
    vendor.json(200, {
      access_token: "a",
      token_type: "bearer",
      id_token: "not.a.jwt",
      refresh_token: null,
      scope: ["one", "two"],
      account_id: "dbid:1",
      uid: 12,
      nested: { a: 1 },
    });
    const response = granted(await refresh());
    expect(response).toEqual({
      accessToken: "a",
      tokenType: "bearer",
      scope: "one two",
      extra: { account_id: "dbid:1", uid: "12" },
    });
  });

  it("accepts an unknown token type, no token type, a form-encoded answer, and JSON with another content type", async () => {
    vendor.json(200, { access_token: "a", token_type: "bot" });
    expect(granted(await refresh()).tokenType).toBe("bot");
    vendor.json(200, { access_token: "a" });
    expect(granted(await refresh()).tokenType).toBe("bearer");
    vendor.text(200, "access_token=a%2Bb&expires_in=60&token_type=bearer", {
      "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    });
    expect(granted(await refresh())).toMatchObject({ accessToken: "a+b", expiresInMs: 60_000 });
    vendor.text(200, JSON.stringify({ access_token: "a" }), { "Content-Type": "text/html" });
    expect(granted(await refresh()).accessToken).toBe("a");
  });
});

describe("members of a wrong type beside a valid token", () => {
  it.each<[unknown, string | undefined]>([
    [false, undefined],
    [0, undefined],
    [1, undefined],
    [12_345, undefined],
    [[], undefined],
    [["r"], undefined],
    [{}, undefined],
    ["  ", undefined],
    ["r\r\n", "r"],
  ])("refresh_token %j: an invalid one is ignored, so the old one stays", async (refresh_token, read) => {
    vendor.json(200, { access_token: "a", refresh_token });
    expect(granted(await refresh()).refreshToken).toBe(read);
  });

  it("a number is accepted as refresh token when the old one is a number, or unknown", async () => {
    vendor.text(200, '{"access_token":"a","refresh_token":90071992547409931234}');
    const exchanged = await endpoint.exchangeCode(dropbox, client, {
      code: "c",
      redirectUri: "https://app.example/cb",
      values: {},
      timeoutMs: 5_000,
    });
    expect(granted(exchanged).refreshToken).toBe("90071992547409931234");
    const renewed = await endpoint.refresh(dropbox, client, {
      refreshToken: "90071992547409930000",
      values: {},
      timeoutMs: 5_000,
      beforeSend: () => {},
    });
    expect(granted(renewed).refreshToken).toBe("90071992547409931234");
  });

  it.each([
    ["17", "17"],
    ["90071992547409931234", "90071992547409931234"],
    ["1.50", "1.50"],
    ['"a\\n"', "a"],
    ['" a b "', "a b"],
  ])("access_token %s is read as the text %j", async (written, read) => {
    vendor.text(200, `{"access_token":${written}}`);
    expect(granted(await refresh()).accessToken).toBe(read);
  });

  it.each([
    ["expires_in", [60]],
    ["expires_in", true],
    ["scope", 17],
    ["scope", { a: 1 }],
    ["token_type", ["bearer"]],
    ["error", false],
    ["error", { code: 0 }],
    ["deep", "["],
  ])("%s %j does not lose the grant", async (name, value) => {
    vendor.json(200, { access_token: "a", [name]: value });
    expect(granted(await refresh())).toMatchObject({ accessToken: "a", tokenType: "bearer" });
    expect(granted(await refresh())).not.toHaveProperty("expiresInMs");
    expect(granted(await refresh())).not.toHaveProperty("scope");
  });

  it("thousands of nested lists do not lose the grant", async () => {
    vendor.text(200, `{"access_token":"a","deep":${"[".repeat(20_000)}${"]".repeat(20_000)}}`);
    expect(granted(await refresh()).accessToken).toBe("a");
  });
});

describe("an access token that no header can carry", () => {
  it.each(["line\nbreak", "bell\u0007", "\u20ac", "nul\u0000"])(
    "%j is reported as unusable, with the members beside it",
    async (access_token) => {
      vendor.json(200, { access_token, refresh_token: "r" });
      expect(await refresh()).toMatchObject({ kind: "unusable", response: { refreshToken: "r" } });
    },
  );

  it("does not include one with letters of Latin-1", async () => {
    vendor.json(200, { access_token: "caf\u00e9" });
    expect(granted(await refresh()).accessToken).toBe("caf\u00e9");
  });
});

describe("a form that does not encode its spaces", () => {
  it.each(["text/plain", "text/html", "", "application/json"])(
    "with the content type %j is still read as a grant",
    async (type) => {
      for (const body of [
        "access_token=a&refresh_token=b&scope=read write&token_type=bearer",
        "scope[]=read&scope[]=write&access_token=a&refresh_token=b",
        'access_token=a&refresh_token=b&name={"first": "Ann"}',
      ]) {
        vendor.text(200, body, { "Content-Type": type });
        expect(granted(await refresh())).toMatchObject({ accessToken: "a", refreshToken: "b" });
      }
      vendor.text(400, "error=invalid_grant&error_description=it is gone", { "Content-Type": type });
      expect(await refresh()).toMatchObject({ kind: "invalid_grant", description: "it is gone" });
    },
  );
});

describe("a page is not read as a form", () => {
  it.each([
    ["text/html", "<html><a href='?access_token=a&refresh_token=b'>x</a></html>"],
    ["text/plain", "see https://example.com/?access_token=a"],
    ["text/plain", "error=something went wrong & more"],
    ["text/plain", "error=something went wrong"],
    ["text/plain", "access_token=<b>a</b> b"],
    ["text/plain", "access_token=a & b"],
    ["application/x-www-form-urlencoded", "<html>access_token=a</html>"],
    ["application/json", "access_token"],
  ])("%s %s", async (type, body) => {
    vendor.text(200, body, { "Content-Type": type });
    expect((await refresh()).kind).toBe("unknown");
  });
});

describe("a form whose members have unusual names", () => {
  it.each([
    "scope[]=x&access_token=a&refresh_token=r",
    "scope%5B%5D=x&access_token=a&refresh_token=r",
    "access_token=a&refresh_token=r&urn:x=1 2",
    "&access_token=a&refresh_token=r&",
  ])("is read as a grant: %s", async (body) => {
    for (const type of ["application/x-www-form-urlencoded", "text/plain"]) {
      vendor.text(200, body, { "Content-Type": type });
      expect(granted(await refresh())).toMatchObject({ accessToken: "a", refreshToken: "r" });
    }
    vendor.text(200, body);
    expect(granted(await refresh())).toMatchObject({ accessToken: "a", refreshToken: "r" });
  });
});

describe("a token that came as a number", () => {
  it.each([
    [{ authed_user: { access_token: 1, refresh_token: 0 } }],
    [{ data: [{ refresh_token: 0 }] }],
    [{ "": { refresh_token: 0 } }],
  ])("inside another member (%j) does not replace the token beside it", async (within) => {
    vendor.json(200, { access_token: "a", refresh_token: "new", ...within });
    expect(granted(await refresh())).toMatchObject({ accessToken: "a", refreshToken: "new" });
  });
});

describe("a decompression bomb", () => {
  it("is refused when it is larger than 1 MB after decompression", async () => {
    const bomb = gzipSync(Buffer.from(`{"access_token":"a","padding":"${"x".repeat(50_000_000)}"}`));
    expect(bomb.length).toBeLessThan(100_000);
    vendor.answer = (response) => response.writeHead(200, { "Content-Encoding": "gzip" }).end(bomb);
    expect((await refresh()).kind).toBe("unknown");
  });
});

describe("a dead grant in a vendor's own words", () => {
  const dead: readonly unknown[] = [
    ...[
      "interaction_required",
      "consent_required",
      "login_required",
      "invalid_token",
      "bad_refresh_token",
      "invalid_refresh_token",
      "refresh_token_reused",
      "BAD_REFRESH_TOKEN",
      "INVALID_GRANT",
    ].map((error) => ({ error })),
    { error: "invalid_grant: it is gone" },
    { error: "INVALID_GRANT: it is gone" },
    { error: "invalid_grant:gone" },
    { error: ["invalid_grant"] },
    { error: [{ code: "invalid_grant" }] },
    { errors: { errorType: "invalid_grant" } },
    { errors: [{ errorType: "validation" }, { errorType: "invalid_grant" }] },
    {
      error: {
        code: 400,
        status: "INVALID_ARGUMENT",
        errors: [{ domain: "global", reason: "invalid_grant" }],
      },
    },
    { error: { code: 400, errors: [{ reason: "required" }, { reason: "invalid_token" }] } },
    [{ error: "invalid_grant", message: "gone" }],
    [{ errorCode: "invalid_grant", message: "gone" }],
    { errors: [{ errorType: "invalid_grant", message: "Refresh token invalid" }], success: false },
    { error: { errors: ["invalid_grant"] } },
    { error: { error: { code: "invalid_grant" } } },
    { error: { code: "invalid_grant: gone" } },
    { errors: [{ errorType: "INVALID_GRANT: gone" }] },
    { errorCode: "invalid_grant: gone" },
    { error: "INVALID_REQUEST: The refresh token has expired" },
    [{ error: "INVALID_GRANT: gone" }],
    [{ error: { code: "invalid_grant" } }],
    { errors: [{ code: "invalid_refresh_token", detail: "gone" }] },
    { error: { code: "invalid_grant", message: "gone" } },
    { error: { type: "invalid_token" } },
    { status: "BAD_REFRESH_TOKEN", message: "missing or invalid refresh token", correlationId: "x" },
    { errorCode: "invalid_grant", errorMessage: "gone" },
    { error: "invalid_request", error_description: "The refresh token is invalid or has expired." },
    { error: "invalid_request", error_description: "Refresh token has been revoked" },
    { error: "invalid_request", error_description: "Invalid refresh_token" },
    { error: "INVALID_REQUEST", error_description: "refresh token was already used" },
  ];
  it.each(dead)("%j", async (body) => {
    for (const status of [400, 401]) {
      vendor.json(status, body);
      expect((await refresh()).kind).toBe("invalid_grant");
    }
    for (const status of [408, 425, 429]) {
      vendor.json(status, body);
      expect(await refresh()).toMatchObject({ kind: "refused", status });
    }
  });

  const notDead: readonly (readonly [body: unknown, kind: TokenOutcome["kind"]])[] = [
    [{ error: "invalid_request" }, "refused"],
    [{ error: "invalid_request", error_description: "refresh_token is missing" }, "refused"],
    [{ error: "invalid_request", error_description: "The refresh token is required, or invalid" }, "refused"],
    [
      { error: "invalid_request", error_description: "Missing or invalid parameter: refresh_token" },
      "refused",
    ],
    [
      { error: "invalid_request", error_description: "The client_id used is not the refresh token's" },
      "refused",
    ],
    [{ error: "invalid_request", error_description: "the code has expired" }, "refused"],
    [{ error: "invalid_scope", error_description: "The refresh token has expired" }, "refused"],
    [{ error: "INVALID_CLIENT", error_description: "invalid refresh token" }, "client_refused"],
    [{ errors: [{ errorType: "invalid_client" }] }, "client_refused"],
    [[{ error: "invalid_grant" }, { error: "invalid_client" }], "client_refused"],
    [{ error: "invalid_scope", errors: [{ errorType: "invalid_grant" }] }, "refused"],
    [{ error: "INVALID_SCOPE: no", code: "invalid_token" }, "refused"],
    [{ error: "temporarily_unavailable", status: "invalid_token" }, "refused"],
    [{ error: "unsupported_grant_type", type: "invalid_grant" }, "refused"],
    [{ error: "https://vendor.example/invalid_grant" }, "refused"],
    [{ error: { code: "unauthorized_client" } }, "client_refused"],
    [{ error: { code: 190, message: "gone" } }, "refused"],
    [{ error: "Error: invalid_grant" }, "refused"],
    [{ error: [] }, "refused"],
    [{ error: [["invalid_grant"]] }, "refused"],
    [{ errors: { errorType: "validation", message: "invalid_grant" } }, "refused"],
    [{ error: { errors: [{ reason: "rateLimitExceeded" }] } }, "refused"],
    [{ errors: [...Array(5).fill({ code: "other" }), { code: "invalid_grant" }] }, "refused"],
    [{ reason: "the grant is invalid" }, "refused"],
    [[{ errorCode: "INVALID_SESSION_ID" }], "refused"],
    [[], "refused"],
    [["invalid"], "refused"],
    [{ status: "error", message: "invalid_grant" }, "refused"],
    [{ type: "about:blank", title: "Refresh token expired" }, "refused"],
  ];
  it.each(notDead)("is not recognized in %j", async (body, kind) => {
    vendor.json(400, body);
    expect((await refresh()).kind).toBe(kind);
  });

  it("is recognized by a word that only its vendor uses so", async () => {
    vendor.json(400, { error: "Invalid_Code" });
    expect((await refresh()).kind).toBe("refused");
    const zoho = { ...dropbox, oauth2: { ...dropbox.oauth2, deadGrantErrors: ["invalid_code"] } };
    expect(await refresh(zoho)).toMatchObject({ kind: "invalid_grant", error: "Invalid_Code" });
  });

  it("is recognized by the vendor's own word also in capitals, and with a text after a colon", async () => {
    const zoho = { ...dropbox, oauth2: { ...dropbox.oauth2, deadGrantErrors: ["invalid_code"] } };
    vendor.json(400, { error: "Invalid_Code: gone" });
    expect(await refresh(zoho)).toMatchObject({ kind: "invalid_grant", error: "Invalid_Code" });
  });

  it("has the description of the error that contains its code", async () => {
    vendor.json(400, { error: { message: "gone", errors: [{ reason: "invalid_grant" }] } });
    expect(await refresh()).toMatchObject({ kind: "invalid_grant", description: "gone" });
  });

  it.each([[[]], [["x"]], [[{ code: "done" }]], [[{ status: "active", type: "user" }]]])(
    "is not recognized in the list %j with status 200",
    async (body) => {
      vendor.json(200, body);
      expect((await refresh()).kind).toBe("unknown");
    },
  );

  it("is recognized with status 200 only in an error member, or by an unambiguous word", async () => {
    vendor.json(200, [{ error: "invalid_grant" }]);
    expect((await refresh()).kind).toBe("invalid_grant");
    vendor.json(200, { status: "ok", code: "done" });
    expect((await refresh()).kind).toBe("unknown");
    vendor.json(200, { status: "BAD_REFRESH_TOKEN" });
    expect((await refresh()).kind).toBe("invalid_grant");
  });
});

describe("a refusal is classified", () => {
  it.each([
    [400, { error: "invalid_grant" }, { kind: "invalid_grant", error: "invalid_grant" }],
    [
      401,
      { error: "invalid_grant", error_description: "Token has been revoked." },
      { kind: "invalid_grant", description: "Token has been revoked." },
    ],
    [200, { error: "invalid_grant" }, { kind: "invalid_grant" }],
    [401, { error: "invalid_client" }, { kind: "client_refused", status: 401, error: "invalid_client" }],
    [400, { error: "unauthorized_client" }, { kind: "client_refused", error: "unauthorized_client" }],
    [
      400,
      { error: "invalid_client: Invalid client_id or client_secret" },
      { kind: "client_refused", error: "invalid_client", description: "Invalid client_id or client_secret" },
    ],
    [400, { error: "invalid_request" }, { kind: "refused", status: 400, error: "invalid_request" }],
    [200, { error: "bad_verification_code" }, { kind: "refused", error: "bad_verification_code" }],
    [403, "<html>blocked</html>", { kind: "refused", status: 403, error: "http_403" }],
    [429, { error: "invalid_grant" }, { kind: "refused", status: 429 }],
  ])("%i %j", async (status, body, outcome) => {
    if (typeof body === "string") vendor.text(status, body, { "Content-Type": "text/html" });
    else vendor.json(status, body, { "WWW-Authenticate": 'Basic realm="x"' });
    expect(await refresh()).toMatchObject(outcome);
  });

  it("reads Retry-After in seconds, and as a date by the vendor's own clock", async () => {
    vendor.json(429, {}, { "Retry-After": "120" });
    expect(await refresh()).toMatchObject({ kind: "refused", status: 429, retryAfterMs: 120_000 });
    vendor.json(
      503,
      {},
      {
        Date: "Wed, 21 Oct 2015 07:28:00 GMT",
        "Retry-After": "Wed, 21 Oct 2015 07:29:30 GMT",
      },
    );
    expect(await refresh()).toMatchObject({ kind: "refused", status: 503, retryAfterMs: 90_000 });
  });

  it.each([
    ["31536000", 3_600_000],
    ["99999999999999999999", 3_600_000],
    ["3000", 3_000_000],
    ["-5", undefined],
    ["soon", undefined],
    ["Fri, 31 Dec 9999 23:59:59 GMT", 3_600_000],
  ])("limits a Retry-After of %s to an hour", async (value, retryAfterMs) => {
    vendor.json(429, {}, { "Retry-After": value });
    const outcome = await refresh();
    expect(outcome).toMatchObject({ kind: "refused", status: 429 });
    expect((outcome as { retryAfterMs?: number }).retryAfterMs).toBe(retryAfterMs);
  });

  it("removes the secrets that were sent from the vendor's words", async () => {
    vendor.json(400, {
      error: "invalid_request",
      error_description: `bad token old-refresh-token for ${client.secret} (${encodeURIComponent(client.secret)})\n${"x".repeat(900)}`,
    });
    const outcome = await refresh();
    expect(JSON.stringify(outcome)).not.toMatch(/old-refresh-token|client:secret|client%3Asecret/);
    expect(outcome).toMatchObject({ kind: "refused" });
    expect((outcome as { description: string }).description.length).toBe(500);
    expect((outcome as { description: string }).description).toMatch(
      /^bad token \*{8} for \*{8} \(\*{8}\) x+$/,
    );
  });
});

describe("the result is unknown after", () => {
  it.each([
    [200, "<html>hello</html>", "text/html"],
    [200, "", "application/json"],
    [200, "[]", "application/json"],
    [200, '{"token_type":"bearer"}', "application/json"],
    [200, '{"access_token":{"value":"a"}}', "application/json"],
    [204, "", "application/json"],
    [302, "", "text/html"],
    [500, '{"error":"invalid_grant"}', "application/json"],
    [502, "bad gateway", "text/plain"],
    [503, '{"error":"temporarily_unavailable"}', "application/json"],
  ])("status %i with %j", async (status, body, type) => {
    vendor.text(status, body, { "Content-Type": type });
    expect((await refresh()).kind).toBe("unknown");
  });

  it("an answer of more than 1 MB", async () => {
    vendor.text(200, `{"access_token":"a","padding":"${"x".repeat(1_100_000)}"}`, {
      "Content-Type": "application/json",
    });
    expect((await refresh()).kind).toBe("unknown");
  });

  it("a connection that breaks after the request, and in the middle of the answer", async () => {
    vendor.answer = (response) => response.destroy();
    expect((await refresh()).kind).toBe("unknown");
    vendor.answer = (response) => {
      response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "100" });
      response.write('{"access_token":', () => response.destroy());
    };
    expect((await refresh()).kind).toBe("unknown");
  });

  it("no answer, and a body that never ends, when our timeout has ended, not before", async () => {
    vendor.answer = () => {};
    const startedAt = performance.now();
    expect((await refresh(dropbox, 400)).kind).toBe("unknown");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(395);

    let drip: NodeJS.Timeout | undefined;
    vendor.answer = (response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      drip = setInterval(() => response.write(" "), 50);
    };
    expect((await refresh(dropbox, 400)).kind).toBe("unknown");
    clearInterval(drip);
  });

  it("but not after an answer that comes just in time", async () => {
    vendor.answer = (response) => {
      setTimeout(() => response.end(JSON.stringify({ access_token: "late", token_type: "bearer" })), 300);
    };
    expect(granted(await refresh(dropbox, 2_000)).accessToken).toBe("late");
  });
});

describe("a request that was not sent is never_sent", () => {
  it("when no server listens", async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    process.env.LINKSPAN_VENDOR_ENDPOINTS = JSON.stringify({
      "api.dropboxapi.com": `http://127.0.0.1:${port}`,
    });
    expect((await refresh()).kind).toBe("never_sent");
  });

  it("when the caller stops it after the connection is made", async () => {
    const outcome = await endpoint.refresh(dropbox, client, {
      refreshToken: "old-refresh-token",
      values: {},
      timeoutMs: 5_000,
      beforeSend: () => {
        throw new Error("too late");
      },
    });
    expect(outcome.kind).toBe("never_sent");
    expect(vendor.seen).toEqual([]);
  });

  it("when the vendor's URL lacks a value", async () => {
    const templated = {
      ...dropbox,
      oauth2: { ...dropbox.oauth2, tokenUrl: "https://{subdomain}.example.com/token" },
    };
    expect((await refresh(templated)).kind).toBe("never_sent");
  });
});
