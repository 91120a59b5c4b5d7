import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hooksOf } from "../../../functions/connectors/catalogue.ts";
import dropbox from "../../../functions/connectors/vendors/dropbox.ts";
import googledrive from "../../../functions/connectors/vendors/googledrive.ts";
import { tokenEndpoint } from "../../../functions/core/oauth/token-endpoint.ts";
import { createVendorHttp } from "../../../functions/vendor-http/vendor-http.ts";
import { VendorServer } from "./vendor-server.ts";

const { revoke } = tokenEndpoint(createVendorHttp(), hooksOf);
const client = { id: "client-id", secret: "client-secret" };
const grant = {
  accessToken: "access",
  refreshToken: "refresh",
  tokenType: "bearer",
  obtainedAt: 0,
  obtainedBy: "exchange",
  client: { kind: "registered", appId: "app" },
} as const;

let vendor: VendorServer;
beforeEach(async () => {
  vendor = await VendorServer.start("api.dropboxapi.com", "oauth2.googleapis.com");
});
afterEach(() => vendor.close());

describe("revocation by form (RFC 7009)", () => {
  it("sends the refresh token, with which all other tokens end", async () => {
    vendor.text(200, "");
    expect(await revoke(googledrive, client, grant)).toBe(true);
    expect(vendor.seen[0]).toMatchObject({ method: "POST", path: "/revoke" });
    expect(vendor.seen[0]?.form.get("token")).toBe("refresh");
    expect(vendor.seen[0]?.form.get("token_type_hint")).toBe("refresh_token");
  });

  it("ends a refresh token that was carried over, and separately the access token beside it", async () => {
    vendor.text(200, "");
    const carried = { ...grant, carried: { accessToken: "first" } };
    expect(await revoke(googledrive, client, carried)).toBe(true);
    expect(vendor.seen.map(({ form }) => form.get("token")).toSorted()).toEqual(["access", "refresh"]);
  });

  it.each([
    [200, ""],
    [200, "{}"],
    [200, "<html>ok</html>"],
    [201, '{"revoked":true}'],
    [202, ""],
    [204, ""],
    [205, ""],
  ])("succeeds when the answer is %i %j", async (status, body) => {
    vendor.answer = (response) => response.writeHead(status).end(body);
    expect(await revoke(googledrive, client, grant)).toBe(true);
    expect(await revoke(dropbox, client, grant)).toBe(true);
  });

  it.each([
    [200, { ok: false, error: "try_later" }],
    [202, { ok: false, error: "try_later" }],
    [200, { error: "invalid_client" }],
    [202, { error: { code: "invalid_client" } }],
  ])("fails when the answer is %i with an error: %j", async (status, body) => {
    vendor.json(status, body);
    expect(await revoke(googledrive, client, grant)).toBe(false);
    expect(await revoke(dropbox, client, grant)).toBe(false);
  });

  it.each([200, 202])("succeeds when the answer is %i and says that the token is dead", async (status) => {
    vendor.json(status, { ok: false, error: "invalid_token" });
    expect(await revoke(googledrive, client, grant)).toBe(true);
    expect(await revoke(dropbox, client, { ...grant, refreshToken: grant.accessToken })).toBe(true);
  });

  it.each(["[]", '["ok"]', "null", '{"error":null}', '{"ok":true,"status":"done"}'])(
    "succeeds when the answer is 200 with %s",
    async (body) => {
      vendor.text(200, body, { "Content-Type": "application/json" });
      expect(await revoke(googledrive, client, grant)).toBe(true);
      expect(await revoke(dropbox, client, grant)).toBe(true);
    },
  );

  it.each([300, 302, 304])("fails when the answer is %i", async (status) => {
    vendor.answer = (response) => response.writeHead(status).end();
    expect(await revoke(googledrive, client, grant)).toBe(false);
  });

  it("succeeds for a token that is dead already, and is tried again after any other error", async () => {
    vendor.json(400, { error: "invalid_token" });
    expect(await revoke(googledrive, client, grant)).toBe(true);
    for (const status of [400, 401, 429, 500, 503]) {
      vendor.json(status, { error: "nope" });
      expect(await revoke(googledrive, client, grant)).toBe(false);
    }
    vendor.answer = (response) => response.destroy();
    expect(await revoke(googledrive, client, grant)).toBe(false);
  });
});

describe("revocation with the access token (Dropbox)", () => {
  it("sends the access token and no body", async () => {
    vendor.text(200, "null", { "Content-Type": "application/json" });
    expect(await revoke(dropbox, client, grant)).toBe(true);
    expect(vendor.seen).toHaveLength(1);
    expect(vendor.seen[0]).toMatchObject({ method: "POST", path: "/2/auth/token/revoke" });
    expect(vendor.seen[0]?.headers.authorization).toBe("Bearer access");
    expect(vendor.seen[0]?.headers["content-length"]).toBe("0");
  });

  it("ends both sign-ins of a refresh token that was carried over", async () => {
    vendor.text(200, "null", { "Content-Type": "application/json" });
    const carried = { ...grant, carried: { accessToken: "first" } };
    expect(await revoke(dropbox, client, carried)).toBe(true);
    const sent = vendor.seen.map(({ headers }) => headers.authorization);
    expect(sent.toSorted()).toEqual(["Bearer access", "Bearer first"]);
  });

  it("first gets a new access token when the stored one has expired, because the refresh token is still valid", async () => {
    vendor.answer = (response, request) => {
      const { authorization } = request.headers;
      if (request.url === "/oauth2/token") {
        response
          .writeHead(200, { "Content-Type": "application/json" })
          .end(JSON.stringify({ access_token: "fresh", token_type: "bearer", expires_in: 14_400 }));
      } else response.writeHead(authorization === "Bearer fresh" ? 200 : 401).end("{}");
    };
    expect(await revoke(dropbox, client, grant)).toBe(true);
    expect(vendor.seen.map(({ path }) => path)).toEqual([
      "/2/auth/token/revoke",
      "/oauth2/token",
      "/2/auth/token/revoke",
    ]);
  });

  it("does not renew a long-lived token in order to end it, because it is dead together with its own access token", async () => {
    vendor.text(401, "{}");
    expect(await revoke(dropbox, client, { ...grant, refreshToken: grant.accessToken })).toBe(true);
    expect(vendor.seen.map(({ path }) => path)).toEqual(["/2/auth/token/revoke"]);
  });

  it("succeeds when the refresh token is dead too, and is tried again when the result is unknown", async () => {
    vendor.answer = (response, request) => {
      if (request.url === "/oauth2/token") {
        response.writeHead(400, { "Content-Type": "application/json" }).end('{"error":"invalid_grant"}');
      } else response.writeHead(401).end("{}");
    };
    expect(await revoke(dropbox, client, grant)).toBe(true);
    vendor.text(500, "");
    expect(await revoke(dropbox, client, grant)).toBe(false);
  });
});
