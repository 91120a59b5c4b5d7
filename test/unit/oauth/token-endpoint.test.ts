import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defineConnector } from "../../../functions/connectors/define-connector.ts";
import { dropbox } from "../../../functions/connectors/dropbox.ts";
import type { TokenOutcome } from "../../../functions/core/grant/ports.ts";
import { tokenEndpoint } from "../../../functions/core/oauth/token-endpoint.ts";
import { createVendorHttp } from "../../../functions/vendor-http/vendor-http.ts";
import { VendorServer } from "./vendor-server.ts";

const client = { id: "client-id", secret: "client:secret/+" };
const endpoint = tokenEndpoint(createVendorHttp());
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
    configuration: {},
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
      configuration: {},
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

  it("sends no verifier where there is none", async () => {
    vendor.json(200, { access_token: "a", token_type: "bearer" });
    await endpoint.exchangeCode(dropbox, client, {
      code: "c",
      redirectUri: "https://app.example/cb",
      configuration: {},
      timeoutMs: 5_000,
    });
    expect(vendor.seen[0]?.form.has("code_verifier")).toBe(false);
  });

  it("puts the client into the Authorization header where the vendor wants Basic, form-encoded first", async () => {
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

  it("uses a connection of its own for each request", async () => {
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

describe("a grant is read whatever form the answer has", () => {
  it.each([
    ["expires_in as a string", { expires_in: "3599" }, 3_599_000],
    ["expires_in with a fraction", { expires_in: 1.5 }, 1_500],
    ["no expires_in", {}, undefined],
    ["expires_in that is no number", { expires_in: "soon" }, undefined],
    ["expires_in null", { expires_in: null }, undefined],
    ["expires_in below zero", { expires_in: -1 }, undefined],
  ])("%s", async (_, member, expiresInMs) => {
    vendor.json(200, { access_token: "a", token_type: "Bearer", ...member });
    expect(granted(await refresh()).expiresInMs).toBe(expiresInMs);
  });

  it("keeps other members as texts, and leaves ID tokens and nested ones out", async () => {
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

  it("takes an unknown token type, a missing one, a form-encoded answer and JSON under another content type", async () => {
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

describe("a refusal is told apart", () => {
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

  it("reads Retry-After in seconds and as a date by the vendor's own clock", async () => {
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

  it("cuts what was sent out of the vendor's words", async () => {
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

describe("what may have been done is unknown", () => {
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

  it("no answer, and one whose body drips on, once the patience has ended, not before", async () => {
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

  it("takes an answer that comes just in time", async () => {
    vendor.answer = (response) => {
      setTimeout(() => response.end(JSON.stringify({ access_token: "late", token_type: "bearer" })), 300);
    };
    expect(granted(await refresh(dropbox, 2_000)).accessToken).toBe("late");
  });
});

describe("what never left is never_sent", () => {
  it("when nobody listens", async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    process.env.LINKSPAN_VENDOR_ENDPOINTS = JSON.stringify({
      "api.dropboxapi.com": `http://127.0.0.1:${port}`,
    });
    expect((await refresh()).kind).toBe("never_sent");
  });

  it("when the caller stops it as the connection stands", async () => {
    const outcome = await endpoint.refresh(dropbox, client, {
      refreshToken: "old-refresh-token",
      configuration: {},
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
