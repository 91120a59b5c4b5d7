import { request as httpRequest } from "node:http";
import { connect as connectSocket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../local/clock.ts";
import { generatedBytes } from "../../local/vendors/content.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import {
  APP,
  allow,
  authorizationUrl,
  browser,
  REDIRECT_URI,
  VENDORS,
  type VendorUnderTest,
} from "./connect.ts";
import { vendorFetch } from "./vendor-fetch.ts";

/** Downloads a file of Ada's root folder with each vendor's API. */
const DOWNLOADS: Readonly<
  Record<string, (fetchVendor: typeof fetch, token: string, name: string) => Promise<Response>>
> = {
  Dropbox: (fetchVendor, token, name) =>
    fetchVendor("https://content.dropboxapi.com/2/files/download", {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Dropbox-API-Arg": JSON.stringify({ path: `/${name}` }) },
    }),
  "Google Drive": async (fetchVendor, token, name) => {
    const headers = { Authorization: `Bearer ${token}` };
    const files = "https://www.googleapis.com/drive/v3/files";
    const found = await fetchVendor(`${files}?q=${encodeURIComponent(`name = '${name}'`)}`, { headers });
    const { files: list } = (await found.json()) as { files: { id: string }[] };
    return fetchVendor(`${files}/${list[0]?.id}?alt=media`, { headers });
  },
  Box: async (fetchVendor, token, name) => {
    const headers = { Authorization: `Bearer ${token}` };
    const items = await fetchVendor("https://api.box.com/2.0/folders/0/items", { headers });
    const { entries } = (await items.json()) as { entries: { id: string; name: string }[] };
    const id = entries.find((entry) => entry.name === name)?.id;
    const redirect = await fetchVendor(`https://api.box.com/2.0/files/${id}/content`, { headers });
    return fetchVendor(redirect.headers.get("location") ?? "");
  },
};

/** What the path of the request begins with that answers with the bytes. */
const DOWNLOAD_PATHS: Readonly<Record<string, string>> = {
  Dropbox: "/2/files/download",
  "Google Drive": "/drive/v3/files/",
  Box: "/d/1/",
};

async function tokenFor(vendor: VendorUnderTest, standIn: StandIn): Promise<string> {
  const code = (await allow(standIn, authorizationUrl(vendor))).get("code") ?? "";
  const form = { grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI };
  const body = new URLSearchParams({ ...form, client_id: APP.clientId, client_secret: APP.clientSecret });
  const answer = await vendorFetch(standIn)(vendor.tokenUrl, { method: "POST", body });
  return ((await answer.json()) as { access_token: string }).access_token;
}

describe.each(VENDORS)("the controls of the $name stand-in", (vendor) => {
  let clock: Clock;
  let standIn: StandIn;
  let token: string;
  let fetchVendor: typeof fetch;

  beforeEach(async () => {
    clock = systemClock();
    standIn = await vendor.start(clock);
    fetchVendor = vendorFetch(standIn);
    token = await tokenFor(vendor, standIn);
    standIn.clearRequests();
  });
  afterEach(() => standIn.close());

  const probe = () => vendor.probe(fetchVendor, token);
  const download = (name: string) => {
    const act = DOWNLOADS[vendor.name];
    if (act === undefined) throw new Error(`no download for ${vendor.name}`);
    return act(fetchVendor, token, name);
  };
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => "an answer",
      () => "broken",
    );
  const control = (path: string, method = "GET", body?: unknown, headers: Record<string, string> = {}) =>
    fetch(`${standIn.origin}/_control${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  it("answers with a status in the vendor's own shape, exactly as often as set", async () => {
    standIn.fail({ endpoint: "api", status: 503, count: 2, headers: { "Retry-After": "7" } });
    const first = await probe();
    expect([first.status, first.headers.get("retry-after")]).toEqual([503, "7"]);
    expect((await probe()).status).toBe(503);
    expect((await probe()).status).toBe(200);
    standIn.fail({ endpoint: "api", status: 429 });
    const limited = await probe();
    expect(limited.headers.get("content-type")).toContain("application/json");
    expect(JSON.stringify(await limited.json())).toMatch(
      /too_many_requests|rateLimitExceeded|rate_limit_exceeded/,
    );
  });

  it("answers HTML, an empty body, and the wrong content type", async () => {
    standIn.fail({ status: 200, body: "<html>maintenance</html>", contentType: "text/html" });
    expect(await (await probe()).text()).toBe("<html>maintenance</html>");
    standIn.fail({ status: 200, body: "", contentType: "application/json" });
    const empty = await probe();
    expect([empty.status, await empty.text()]).toEqual([200, ""]);
  });

  it("applies a fault only to its kind of request and its path", async () => {
    standIn.fail({ endpoint: "token", status: 500 });
    standIn.fail({ path: "/nothing/begins/so", status: 500 });
    expect((await probe()).status).toBe(200);
    expect((await fetchVendor(vendor.tokenUrl, { method: "POST" })).status).toBe(500);
    standIn.fail({ status: 500 });
    standIn.clearFaults();
    expect((await probe()).status).toBe(200);
  });

  it("breaks connections before and after it acts, and in the middle of a body", async () => {
    standIn.fail({ endpoint: "revocation", reset: "before" });
    expect(await failure(vendor.revoke(fetchVendor, token))).toBe("broken");
    expect(standIn.living().grants).toBe(1);
    standIn.fail({ endpoint: "api", reset: "middle" });
    const half = await probe();
    expect(half.status).toBe(200);
    expect(await failure(half.text())).toBe("broken");
    standIn.fail({ endpoint: "revocation", reset: "after" });
    expect(await failure(vendor.revoke(fetchVendor, token))).toBe("broken");
    expect(standIn.living().grants).toBe(0);
    expect(standIn.requests().map((request) => request.status)).toEqual([0, 200, 0]);
  });

  it("accepts a request and never answers, until the client gives up", async () => {
    standIn.fail({ endpoint: "api", reset: "never" });
    const ended = await new Promise<string>((done) => {
      const request = httpRequest(`${standIn.origin}/2/check/user`, { method: "POST", timeout: 200 });
      request.on("timeout", () => request.destroy(new Error("gave up")));
      request.on("error", (error) => done(error.message));
      request.on("response", () => done("answered"));
      request.end();
    });
    expect(ended).toBe("gave up");
  });

  it("delays the first byte of its answer", async () => {
    standIn.fail({ endpoint: "api", delayMs: 150 });
    const start = performance.now();
    expect((await probe()).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThanOrEqual(140);
  });

  it("streams: the first bytes arrive while the last ones are held back", async () => {
    standIn.addGeneratedFile("ada@example.com", "/streamed.bin", 1_000_000);
    standIn.fail({
      path: DOWNLOAD_PATHS[vendor.name] ?? "/none",
      holdBody: { afterBytes: 10 },
    });
    const reader = (await download("streamed.bin")).body?.getReader();
    if (reader === undefined) throw new Error("no body");
    const first = await reader.read();
    expect(first.value).toEqual(generatedBytes(0, 10));
    standIn.releaseHeldBodies();
    let received = first.value?.length ?? 0;
    for (let next = await reader.read(); !next.done; next = await reader.read())
      received += next.value.length;
    expect(received).toBe(1_000_000);
  });

  it("sends a body slowly", async () => {
    standIn.addFile("ada@example.com", "/slow.txt", "0123456789");
    standIn.fail({
      path: DOWNLOAD_PATHS[vendor.name] ?? "/none",
      slowBody: { bytesPerChunk: 4, pauseMs: 60 },
    });
    const start = performance.now();
    expect(await (await download("slow.txt")).text()).toBe("0123456789");
    expect(performance.now() - start).toBeGreaterThanOrEqual(110);
  });

  it("serves 300 MB without keeping them in memory", async () => {
    const size = 300_000_000;
    standIn.addGeneratedFile("ada@example.com", "/huge.bin", size);
    const before = process.memoryUsage().rss;
    const answer = await download("huge.bin");
    expect(answer.headers.get("content-length")).toBe(String(size));
    let received = 0;
    let peak = 0;
    for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>) {
      const isAtEdge = received === 0 || received + piece.length === size;
      if (isAtEdge)
        expect(Buffer.from(piece).equals(generatedBytes(received, received + piece.length))).toBe(true);
      received += piece.length;
      peak = Math.max(peak, process.memoryUsage().rss);
    }
    expect(received).toBe(size);
    expect(peak - before).toBeLessThan(220_000_000);
  }, 60_000);

  it("offers every control over HTTP", async () => {
    const about = (await (await control("")).json()) as { connector: string; living: unknown };
    expect(about).toMatchObject({ connector: standIn.connector, living: { grants: 1, accessTokens: 1 } });
    expect((await control("/lifetime", "POST", { seconds: 60 })).status).toBe(200);
    expect((await control("/fail", "POST", { endpoint: "api", status: 418, body: "tea" })).status).toBe(200);
    expect((await probe()).status).toBe(418);
    await control("/fail", "POST", { status: 500 });
    await control("/faults", "DELETE");
    expect((await probe()).status).toBe(200);
    await control("/expire", "POST", { login: "ada@example.com" });
    expect((await probe()).status).toBe(401);
    expect(await (await control("/living?login=ada%40example.com")).json()).toEqual({
      grants: 1,
      accessTokens: 0,
    });
    await control("/revoke", "POST", {});
    expect(standIn.living()).toEqual({ grants: 0, accessTokens: 0 });
    await control("/accounts", "POST", { login: "mary", name: "Mary Somerville", email: "mary@example.com" });
    await control("/files", "POST", { login: "mary", path: "/a/b.txt", text: "hi" });
    await control("/files", "POST", { login: "mary", path: "/a/c.bin", generatedSize: 1e9 });
    expect(await (await control("/entries?login=mary")).json()).toEqual([
      { path: "/a", directory: true, size: 0 },
      { path: "/a/b.txt", directory: false, size: 2 },
      { path: "/a/c.bin", directory: false, size: 1e9 },
    ]);
    await control("/redirects", "POST", { uri: "http://127.0.0.1:9/second" });
    const back = await allow(
      standIn,
      authorizationUrl(vendor, { redirect_uri: "http://127.0.0.1:9/second" }),
      "mary",
    );
    expect(back.get("code")).not.toBeNull();
    const log = (await (await control("/requests")).json()) as { path: string }[];
    expect(log.length).toBe(standIn.requests().length);
    await control("/requests", "DELETE");
    expect(standIn.requests()).toEqual([]);
  });

  it("refuses invalid controls, and pages of other origins", async () => {
    expect((await control("/fail", "POST", { statsu: 503 })).status).toBe(400);
    expect(
      (await control("/accounts", "POST", { login: "ada@example.com", name: "", email: "" })).status,
    ).toBe(400);
    expect((await control("/files", "POST", { login: "nobody", path: "/x", text: "" })).status).toBe(400);
    expect((await control("/no-such")).status).toBe(404);
    const foreign = await control("/revoke", "POST", {}, { Origin: "https://evil.example" });
    expect(foreign.status).toBe(403);
    expect((await control("/revoke", "POST", {}, { Origin: "null" })).status).toBe(403);
    expect(standIn.living().grants).toBe(1);
    const rebound = await answerTo(standIn, "GET /_control HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    expect(rebound).toMatch(/^HTTP\/1.1 421 /);
    const asVendor = await answerTo(standIn, `GET /_control HTTP/1.1\r\nHost: ${standIn.hosts[0]}\r\n\r\n`);
    expect(asVendor).not.toContain('"connector"');
  });

  it("has a console that shows its state and works without JavaScript", async () => {
    await probe();
    const person = browser();
    let page = await person.open(standIn.consoleUrl);
    for (const shown of [
      APP.clientId,
      "ada@example.com",
      "Grace Hopper",
      "from=vendor",
      "1 grants",
      "stand-in",
    ]) {
      expect(page.text).toContain(shown);
    }
    expect(page.text).not.toContain(APP.clientSecret);
    expect(page.text).not.toContain("<script");
    page = await person.submit(page, /503/);
    expect(page.text).toContain("Done:");
    expect((await probe()).status).toBe(503);
    expect((await probe()).status).toBe(200);
    page = await person.submit(page, /expire access tokens/i);
    expect((await probe()).status).toBe(401);
    page = await person.submit(page, /slow/i);
    page = await person.submit(page, /behave/i);
    await person.submit(page, /end the grants/i);
    expect(standIn.living()).toEqual({ grants: 0, accessTokens: 0 });
  });

  it("sets the Date header by its own clock", async () => {
    clock.advance(86_400_000);
    const date = Date.parse((await probe()).headers.get("date") ?? "");
    expect(Math.abs(date - clock.now())).toBeLessThan(5000);
    expect(Date.parse(standIn.requests().at(-1)?.at ?? "") - Date.now()).toBeGreaterThan(86_000_000);
  });
});

/** Sends a raw request and returns the first piece of the answer. */
function answerTo(standIn: StandIn, request: string): Promise<string> {
  return new Promise((done, failed) => {
    const socket = connectSocket(Number(new URL(standIn.origin).port), "127.0.0.1", () =>
      socket.write(request),
    );
    socket.setTimeout(5000, () => failed(new Error("no answer")));
    socket.once("data", (piece) => {
      done(piece.toString());
      socket.destroy();
    });
    socket.once("error", failed);
  });
}
