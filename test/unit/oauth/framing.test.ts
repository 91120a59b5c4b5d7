import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hooksOf } from "../../../functions/connectors/catalogue.ts";
import dropbox from "../../../functions/connectors/vendors/dropbox.ts";
import googledrive from "../../../functions/connectors/vendors/googledrive.ts";
import { callAccount } from "../../../functions/core/oauth/account-call.ts";
import { tokenEndpoint } from "../../../functions/core/oauth/token-endpoint.ts";
import { QUIET_MS } from "../../../functions/core/vendor-answer/read-answer.ts";
import type { VendorRequest } from "../../../functions/core/vendor-http.ts";
import { createVendorHttp } from "../../../functions/vendor-http/vendor-http.ts";

/** What the vendor writes. Afterwards it ends its side, breaks the connection, or keeps it open. */
type Raw = readonly [text: string, then: "end" | "break" | "hold"];

const GOOD = JSON.stringify({ access_token: "a", refresh_token: "r", expires_in: 3600 });
const client = { id: "client-id", secret: "client-secret" };
const http = createVendorHttp();
const endpoint = tokenEndpoint(http, hooksOf);

let server: Server;
let sockets: Set<Socket>;
let raw: Raw;
beforeEach(async () => {
  sockets = new Set();
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => {
      const [text, then] = raw;
      socket.write(text, () => {
        // A reset could arrive before the written bytes.
        if (then !== "hold") socket.end();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hosts = ["api.dropboxapi.com", "oauth2.googleapis.com", "www.googleapis.com"];
  process.env.LINKSPAN_VENDOR_ENDPOINTS = JSON.stringify(
    Object.fromEntries(hosts.map((host) => [host, origin])),
  );
});
afterEach(async () => {
  delete process.env.LINKSPAN_VENDOR_ENDPOINTS;
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

const refresh = (timeoutMs = 10_000) =>
  endpoint.refresh(dropbox, client, {
    refreshToken: "old",
    values: {},
    timeoutMs,
    beforeSend: () => {},
  });
const head = (status: string, ...lines: readonly string[]) =>
  [`HTTP/1.1 ${status}`, "Content-Type: application/json", ...lines, "", ""].join("\r\n");
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

describe("a token answer with wrong framing", () => {
  it.each<[string, Raw]>([
    ["without its last chunk", [`${head("200 OK", "Transfer-Encoding: chunked")}${chunk(GOOD)}`, "end"]],
    [
      "with garbage for its last chunk",
      [`${head("200 OK", "Transfer-Encoding: chunked")}${chunk(GOOD)}zz\r\n`, "end"],
    ],
    ["with a Content-Length that is too large", [`${head("200 OK", "Content-Length: 900")}${GOOD}`, "end"]],
    ["without a length, ended by the connection's end", [`${head("200 OK")}${GOOD}`, "end"]],
    [
      "with Transfer-Encoding beside Content-Length",
      [
        `${head("200 OK", `Content-Length: ${GOOD.length}`, "Transfer-Encoding: chunked")}${chunk(GOOD)}0\r\n\r\n`,
        "end",
      ],
    ],
    [
      "with 60 KB of headers",
      [
        `${head("200 OK", `X-Filler: ${"x".repeat(60_000)}`, `Content-Length: ${GOOD.length}`)}${GOOD}`,
        "end",
      ],
    ],
    [
      "with a control character in a header",
      [`${head("200 OK", "X-Odd: a\u0001b", `Content-Length: ${GOOD.length}`)}${GOOD}`, "end"],
    ],
  ])("%s is read as a grant", async (_, text) => {
    raw = text;
    expect(await refresh()).toMatchObject({
      kind: "granted",
      response: { accessToken: "a", refreshToken: "r", expiresInMs: 3_600_000 },
    });
  });

  it.each<[string, Raw]>([
    ["cut in the middle", [`${head("200 OK", "Content-Length: 900")}${GOOD.slice(0, -1)}`, "end"]],
    [
      "a form, cut",
      [`${head("200 OK", "Content-Length: 900")}access_token=a&refresh_token=r&expires_in=36`, "end"],
    ],
    ["70 KB of headers", [`${head("200 OK", `X-Filler: ${"x".repeat(70_000)}`)}${GOOD}`, "end"]],
  ])("%s has an unknown result", async (_, text) => {
    raw = text;
    expect((await refresh()).kind).toBe("unknown");
  });

  it("a refusal without its last chunk ends the grant", async () => {
    const text = JSON.stringify({ error: "invalid_grant" });
    raw = [`${head("400 Bad Request", "Transfer-Encoding: chunked")}${chunk(text)}`, "end"];
    expect(await refresh()).toMatchObject({ kind: "invalid_grant" });
  });

  it("a revocation counts by its status, even when its body is cut off", async () => {
    raw = [`${head("200 OK", "Content-Length: 900")}{"a":`, "end"];
    const grant = {
      accessToken: "access",
      refreshToken: "refresh",
      tokenType: "bearer",
      obtainedAt: 0,
      obtainedBy: "exchange",
      client: { kind: "registered", appId: "app" },
    } as const;
    expect(await endpoint.revoke(googledrive, client, grant)).toBe(true);
    expect(await endpoint.revoke(dropbox, client, grant)).toBe(true);
  });

  it("an account call is read in the same way", async () => {
    const text = JSON.stringify({ user: { permissionId: "12345678901234567890" } });
    raw = [`${head("200 OK", "Content-Length: 900", "Transfer-Encoding: chunked")}${chunk(text)}`, "end"];
    expect(await callAccount(http, googledrive, {}, "token")).toEqual({
      kind: "told",
      account: { id: "12345678901234567890" },
    });
  });
});

describe("a vendor that keeps its connection open", () => {
  it("is not waited for after its JSON is complete and no byte came for 2 s", {
    timeout: 20_000,
  }, async () => {
    raw = [`${head("200 OK", "Transfer-Encoding: chunked")}${chunk(GOOD)}`, "hold"];
    const startedAt = performance.now();
    expect(await refresh()).toMatchObject({ kind: "granted", response: { refreshToken: "r" } });
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThanOrEqual(QUIET_MS - 50);
    expect(tookMs).toBeLessThan(8_000);
  });

  it("is waited for while its JSON is not complete", { timeout: 20_000 }, async () => {
    raw = [`${head("200 OK", "Transfer-Encoding: chunked")}${chunk(GOOD.slice(0, -1))}`, "hold"];
    const startedAt = performance.now();
    expect((await refresh(QUIET_MS + 500)).kind).toBe("unknown");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(QUIET_MS + 400);
  });

  it("has sent its grant when our timeout ends before the 2 s", async () => {
    raw = [`${head("200 OK", "Content-Length: 900")}${GOOD}`, "hold"];
    expect((await refresh(500)).kind).toBe("granted");
  });

  it("has sent no grant when its answer is a form, because it is unknown whether a form is complete", async () => {
    raw = [`${head("200 OK", "Content-Length: 900")}access_token=a&refresh_token=r`, "hold"];
    expect((await refresh(500)).kind).toBe("unknown");
  });
});

describe("lenient reading", () => {
  const request = (changes: Partial<VendorRequest> = {}): VendorRequest => ({
    method: "GET",
    url: "https://www.googleapis.com/drive/v3/files",
    headers: [],
    allowedHosts: ["www.googleapis.com"],
    timeoutMs: 5_000,
    ...changes,
  });

  it("is not used for other requests: the hub and the proxy refuse an answer with two kinds of framing", async () => {
    const both = head("200 OK", `Content-Length: ${GOOD.length}`, "Transfer-Encoding: chunked");
    raw = [`${both}${chunk(GOOD)}0\r\n\r\n`, "end"];
    for (const freshConnection of [false, true]) {
      await expect(http.send(request({ freshConnection }))).rejects.toMatchObject({
        name: "VendorUnreachable",
      });
    }
    raw = [`${head("200 OK", `X-Filler: ${"x".repeat(40_000)}`, "Content-Length: 2")}{}`, "end"];
    await expect(http.send(request())).rejects.toMatchObject({ name: "VendorUnreachable" });
  });

  it("never shares a connection, whatever the request says", async () => {
    raw = [`${head("200 OK", "Content-Length: 2")}{}`, "hold"];
    for (let count = 0; count < 3; count++) {
      const { body } = await http.send(request({ lenient: true }));
      body.resume();
      await new Promise((resolve) => body.once("close", resolve));
    }
    expect(sockets.size).toBe(3);
  });
});
