import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HttpRequest } from "../../../functions/http/request.ts";
import { ACCESS_TOKEN, bodyOf, type ProxyBench, proxyBench } from "./proxy-bench.ts";

let bench: ProxyBench;
const bearer = (): { authorization: string } => ({ authorization: `Bearer ${bench.token}` });
const send = (request: Partial<HttpRequest>) =>
  bench.call({ ...request, headers: { ...bearer(), ...request.headers } });

describe("the proxy to Dropbox", () => {
  beforeEach(async () => {
    bench = await proxyBench("dropbox");
  });
  afterEach(() => bench.close());

  it("checks the instance token of a call that takes no credential at the vendor, and sends none", async () => {
    const longpoll = { method: "POST", path: "/proxy/2/files/list_folder/longpoll", body: Buffer.from("{}") };
    expect((await send(longpoll)).status).toBe(200);
    expect(bench.seen[0]).toMatchObject({
      host: "notify.dropboxapi.com",
      url: "/2/files/list_folder/longpoll",
      body: "{}",
    });
    expect(Object.keys(bench.seen[0]?.headers ?? {})).not.toContain("authorization");
    expect((await bench.call(longpoll)).status).toBe(401);
    expect((await send({ ...longpoll, headers: { authorization: `Bearer ${bench.token}x` } })).status).toBe(
      401,
    );
    expect(bench.seen).toHaveLength(1);
  });

  it("passes on method, path, query, headers and body, with the vendor's credential in place of the instance token", async () => {
    bench.answer((_, answer) => {
      answer.writeHead(418, {
        "Content-Type": "application/json",
        "Dropbox-API-Result": "{}",
        "Set-Cookie": "a=b",
      });
      answer.end('{"a": 1}');
    });
    const response = await send({
      method: "POST",
      path: "/proxy/2/files/upload",
      queryPairs: [
        ["b", "2"],
        ["a", "x y"],
        ["a", ""],
      ],
      headers: {
        "dropbox-api-arg": '{"path":"/a"}',
        "content-type": "application/octet-stream",
        cookie: "session=1",
        "x-forwarded-for": "1.2.3.4",
        "elements-anything": "1",
      },
      body: Buffer.from("höflich"),
    });
    expect(bench.seen).toHaveLength(1);
    const [seen] = bench.seen;
    expect(seen).toMatchObject({
      host: "content.dropboxapi.com",
      method: "POST",
      url: "/2/files/upload?b=2&a=x%20y&a=",
      body: "höflich",
    });
    expect(Object.keys(seen?.headers ?? {}).sort()).toEqual([
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "dropbox-api-arg",
      "host",
    ]);
    expect(seen?.headers.authorization).toBe(`Bearer ${ACCESS_TOKEN}`);

    expect(response.status).toBe(418);
    expect(response.headers).toMatchObject({
      "Content-Type": "application/json",
      "Dropbox-API-Result": "{}",
    });
    expect(JSON.stringify(response.headers)).not.toMatch(/a=b|Elements-Error-Source/);
    expect(await bodyOf(response)).toBe('{"a": 1}');
  });

  it.each([
    [
      "Basic",
      (token: string) => ({ authorization: `Basic ${Buffer.from(`x:${token}`).toString("base64")}` }),
    ],
    ["token", (token: string) => ({ authorization: `token ${token}` })],
    ["three-part", (token: string) => ({ authorization: `User lsu_the-users, Element ${token}` })],
  ])("accepts the instance token as %s", async (_, headers) => {
    const response = await bench.call({ headers: headers(bench.token) });
    expect([response.status, bench.seen[0]?.headers.authorization]).toEqual([200, `Bearer ${ACCESS_TOKEN}`]);
  });

  it("never sends the instance token on, wherever else the request has it", async () => {
    await send({
      headers: { "x-copy": bench.token },
      queryPairs: [
        ["copy", `a${bench.token}`],
        ["keep", "1"],
      ],
    });
    expect(JSON.stringify(bench.seen)).not.toContain(bench.token);
    expect(bench.seen[0]?.url).toBe("/?keep=1");
  });

  it("refuses a request that would carry the instance token to the vendor in another encoding", async () => {
    const { token } = bench;
    const [, secret = ""] = token.split(".");
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const percent = (text: string) => [...text].map((each) => `%${each.charCodeAt(0).toString(16)}`).join("");
    const misplaced: Readonly<Record<string, Partial<HttpRequest>>> = {
      "the path": { path: `/proxy/2/${token}/x` },
      "the path, percent-encoded twice": { path: `/proxy/2/${percent(percent(secret))}` },
      "a host's name": { path: `/proxy/~${token}/x` },
      "a query name": { queryPairs: [[`a${token}`, "1"]] },
      "a query name, percent-encoded": { queryPairs: [[percent(token), "1"]] },
      "a query value, in base64": { queryPairs: [["auth", base64(`user:${token}`)]] },
      "a query value, as hexadecimal digits": { queryPairs: [["auth", Buffer.from(token).toString("hex")]] },
      "a query value, in base64 with line breaks": {
        queryPairs: [["q", base64(`user:${token}`).replace(/.{20}/g, "$&\n")]],
      },
      "a header, in base64": { headers: { "x-copy": base64(token) } },
      "a header, in base64 with something ahead": {
        headers: { "x-copy": `Basic ${base64(`ab:${token}:c`)}` },
      },
      "a header, in base64url": { headers: { "x-copy": Buffer.from(`?>${token}`).toString("base64url") } },
      "a header, in base64 of base64": { headers: { "x-copy": base64(`x${base64(`y${token}`)}`) } },
      "a header, percent-encoded": { headers: { referer: `https://app.example/?t=${percent(token)}` } },
      "a header, escaped as JSON": {
        headers: {
          "dropbox-api-arg": `{"path":"/\\u00${token.charCodeAt(0).toString(16)}${token.slice(1)}"}`,
        },
      },
      "a header, its secret alone": { headers: { "x-copy": `[${secret}]` } },
      "a header's name": { headers: { [`x-${secret.toLowerCase()}`]: "1" } },
    };
    for (const [where, request] of Object.entries(misplaced)) {
      const response = await send(request);
      expect([where, response.status, (response.json as { code?: string }).code]).toEqual([
        where,
        400,
        "misplaced_token",
      ]);
      expect(JSON.stringify(response)).not.toContain(secret);
      expect(response.headers?.["Elements-Error-Source"]).toBe("linkspan");
    }
    expect(bench.seen).toHaveLength(0);
  });

  it("does not change a body, nor a request that only looks similar", async () => {
    const body = Buffer.from(`the caller's own: ${bench.token}`);
    const response = await send({
      method: "POST",
      path: "/proxy/2/lsi_1.abc/%25",
      queryPairs: [["q", "lsi_%2F"]],
      headers: { "x-a": Buffer.from("lsi_1").toString("base64") },
      body,
    });
    expect([response.status, bench.seen[0]?.body]).toEqual([200, String(body)]);
  });

  it("accepts the token in both of the headers that this vendor's credential may use", async () => {
    for (const headers of [
      { "x-api-key": bench.token, ...bearer() },
      { ...bearer(), "x-api-key": bench.token },
    ]) {
      const response = await bench.call({ headers });
      expect(response.status).toBe(200);
      expect(response.headers?.Vary?.toLowerCase().split(", ").sort()).toEqual([
        "authorization",
        "origin",
        "x-api-key",
      ]);
    }
    expect(bench.seen.map(({ headers }) => headers["x-api-key"])).toEqual([undefined, undefined]);
  });

  it.each([
    [{}, "private", "Origin, authorization"],
    [{ "Cache-Control": "public, max-age=60, s-maxage=900" }, "private, max-age=60", "Origin, authorization"],
    [
      { "cache-control": 'PUBLIC, no-cache="a, public"' },
      'private, no-cache="a, public"',
      "Origin, authorization",
    ],
    [
      { "Cache-Control": "no-store", Vary: "Accept, origin" },
      "private, no-store",
      "Accept, origin, authorization",
    ],
    [{ "Cache-Control": 'private="x", proxy-revalidate', vary: "*" }, "private", "*"],
    [
      { "CDN-Cache-Control": "max-age=9", "Surrogate-Control": "max-age=9" },
      "private",
      "Origin, authorization",
    ],
  ])("allows only private caching of the vendor's answer: %j", async (said, cacheControl, vary) => {
    bench.answer((_, answer) => answer.writeHead(200, { ETag: '"1"', ...said }).end("x"));
    const { headers = {} } = await send({});
    const names = Object.keys(headers).map((name) => name.toLowerCase());
    expect(headers).toMatchObject({ "Cache-Control": cacheControl, Vary: vary, ETag: '"1"' });
    expect(names).toHaveLength(new Set(names).size);
    expect(names.filter((name) => /cdn|surrogate/.test(name))).toEqual([]);
  });

  it("streams: the first bytes arrive before the vendor has sent the last", async () => {
    let finish = (): void => {};
    bench.answer((_, answer) => {
      answer.write("first");
      finish = () => answer.end("last");
    });
    const { body } = await send({ path: "/proxy/2/files/download" });
    const reader = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    expect(String((await reader.next()).value)).toBe("first");
    finish();
    expect(String((await reader.next()).value)).toBe("last");
  });

  it("passes on Range and conditions, and answers 206, 304 and HEAD", async () => {
    bench.answer((seen, answer) => {
      if (seen.headers["if-none-match"]) answer.writeHead(304, { ETag: '"1"' }).end();
      else
        answer
          .writeHead(206, { "Content-Range": "bytes 0-1/9", "Content-Length": "2" })
          .end(seen.method === "HEAD" ? "" : "ab");
    });
    const part = await send({ headers: { range: "bytes=0-1" } });
    expect([part.status, part.headers?.["Content-Range"], await bodyOf(part)]).toEqual([
      206,
      "bytes 0-1/9",
      "ab",
    ]);
    expect(bench.seen[0]?.headers.range).toBe("bytes=0-1");
    const unchanged = await send({ headers: { "if-none-match": '"1"' } });
    expect([unchanged.status, unchanged.headers?.ETag, await bodyOf(unchanged)]).toEqual([304, '"1"', ""]);
    const head = await send({ method: "HEAD" });
    expect([head.status, head.headers?.["Content-Length"], await bodyOf(head)]).toEqual([206, "2", ""]);
  });

  it("passes redirects to the caller, and rewrites those to declared hosts to its own URLs", async () => {
    const locations: Record<string, string> = {
      "/own": "https://content.dropboxapi.com/2/x?y=1",
      "/relative": "../z",
      "/elsewhere": "https://uc1.dropboxusercontent.com/signed",
    };
    bench.answer((seen, answer) =>
      answer
        .writeHead(302, {
          Location: locations[seen.url] ?? "",
          Link: '<https://api.dropboxapi.com/2/next>; rel="next", <https://other.example/>; rel="x"',
        })
        .end(),
    );
    const base = "https://linkspan.example/elements/api-v2/proxy";
    const at = async (path: string) => (await send({ path: `/proxy${path}` })).headers;
    expect((await at("/own"))?.Location).toBe(`${base}/~content/2/x?y=1`);
    expect((await at("/relative"))?.Location).toBe(`${base}/z`);
    expect(await at("/elsewhere")).toMatchObject({
      Location: "https://uc1.dropboxusercontent.com/signed",
      Link: `<${base}/2/next>; rel="next", <https://other.example/>; rel="x"`,
    });
    expect(bench.seen).toHaveLength(3);
  });

  it("repeats a call byte for byte with the newer token when the vendor refuses the older one", async () => {
    bench.answer((seen, answer) => {
      if (seen.headers.authorization === "Bearer newer") return void answer.end("fine");
      void bench.replaceGrant("newer").then(() => answer.writeHead(401).end("expired"));
    });
    const response = await send({ method: "PUT", path: "/proxy/2/x", body: Buffer.from("body") });
    expect([response.status, await bodyOf(response)]).toEqual([200, "fine"]);
    expect(bench.seen.map(({ body, url, method }) => [method, url, body])).toEqual([
      ["PUT", "/2/x", "body"],
      ["PUT", "/2/x", "body"],
    ]);
  });

  it("passes on the vendor's 401 unchanged when no newer token helps", async () => {
    bench.answer((_, answer) =>
      answer.writeHead(401, { "WWW-Authenticate": "Bearer" }).end("the vendor's words"),
    );
    const response = await send({});
    expect([response.status, await bodyOf(response)]).toEqual([401, "the vendor's words"]);
    expect(response.headers?.["Elements-Error-Source"]).toBeUndefined();
    expect(bench.seen).toHaveLength(1);
  });

  it.each<[string, number, Record<string, string> | "a good token", string]>([
    ["no token", 401, {}, "/proxy/2/x"],
    ["an unknown token", 401, { authorization: `Bearer lsi_1.${"A".repeat(43)}` }, "/proxy/2/x"],
    ["a user's secret", 401, { authorization: "Bearer lsu_the-users" }, "/proxy/2/x"],
    ["a host that is not declared", 404, "a good token", "/proxy/~evil.example/x"],
    ["a path outside the proxy", 404, "a good token", "/prox"],
    ["half a character in the path", 400, "a good token", "/proxy/\ud800"],
  ])("answers a request with %s itself, and marks the error as ours", async (_, status, headers, path) => {
    const response = await bench.call({ path, headers: headers === "a good token" ? bearer() : headers });
    expect(response.status).toBe(status);
    expect(response.headers?.["Elements-Error-Source"]).toBe("linkspan");
    expect(response.json).toMatchObject({
      requestId: "request-1",
      message: expect.any(String),
      code: expect.any(String),
    });
    expect(JSON.stringify(response.json)).not.toContain("lsi_");
    expect(bench.seen).toHaveLength(0);
  });

  it("accepts no token in a place that this vendor does not use", async () => {
    const inQuery = await bench.call({ queryPairs: [["access_token", bench.token]] });
    const inHeader = await bench.call({ headers: { "x-api-key": bench.token } });
    expect([inQuery.status, inHeader.status, bench.seen.length]).toEqual([401, 401, 0]);
    expect(JSON.stringify([inQuery.json, inHeader.json])).not.toContain(bench.token);
  });

  it.each([
    ["deleted", { deleting: true }, 401, "unauthorized"],
    ["disabled", { enabled: false }, 403, "instance_disabled"],
    ["dead at the vendor", { deadVersion: 1 }, 401, "needs_reauthentication"],
  ])("refuses an instance that is %s", async (_, changes, status, code) => {
    bench.change(changes);
    const response = await send({});
    expect([response.status, response.json]).toEqual([status, expect.objectContaining({ code })]);
    expect(response.headers?.["Elements-Error-Source"]).toBe("linkspan");
    expect(bench.seen).toHaveLength(0);
  });

  it("answers 502 itself when the vendor breaks the connection", async () => {
    bench.answer((_, answer) => answer.destroy());
    const response = await send({ method: "POST" });
    expect([response.status, response.json]).toEqual([
      502,
      expect.objectContaining({ code: "vendor_unreachable" }),
    ]);
    expect(response.headers?.["Elements-Error-Source"]).toBe("linkspan");
  });
});

describe("the proxy to Google Drive", () => {
  beforeEach(async () => {
    // Drive's own answers have no field with an API URL; the code is the same for vendors whose answers have one.
    bench = await proxyBench("googledrive", { urlFields: ["nextLink"] });
  });
  afterEach(() => bench.close());

  it("accepts the instance token in the query parameter of Google's, and removes it there", async () => {
    const response = await bench.call({
      path: "/proxy/drive/v3/files",
      queryPairs: [
        ["access_token", bench.token],
        ["q", "'root' in parents"],
      ],
    });
    expect(response.status).toBe(200);
    expect(bench.seen[0]).toMatchObject({
      host: "www.googleapis.com",
      url: "/drive/v3/files?q='root'%20in%20parents",
      headers: { authorization: `Bearer ${ACCESS_TOKEN}` },
    });
  });

  it("changes a body only when asked to, and only in the fields that the connector names", async () => {
    const text =
      '{ "nextLink": "https://www.googleapis.com/drive/v3/files?pageToken=2",\n "big": 12345678901234567890, "name": "https://www.googleapis.com/x" }';
    bench.answer((_, answer) => {
      answer
        .writeHead(200, { "Content-Type": "application/json; charset=UTF-8", "Content-Length": text.length })
        .end(text);
    });
    expect(await bodyOf(await send({ path: "/proxy/drive/v3/files" }))).toBe(text);

    const asked = { "elements-rewrite-urls": "true", "accept-encoding": "gzip" };
    const response = await send({ path: "/proxy/drive/v3/files", headers: asked });
    expect(await bodyOf(response)).toBe(
      text.replace(
        "https://www.googleapis.com/drive",
        "https://linkspan.example/elements/api-v2/proxy/drive",
      ),
    );
    expect(response.headers?.["Content-Length"]).toBeUndefined();
    expect(bench.seen[1]?.headers["accept-encoding"]).toBe("identity");
  });

  it("answers 504 before the time limit of an answer when a body to rewrite comes too slowly", async () => {
    let drip: NodeJS.Timeout | undefined;
    bench.answer((_, answer) => {
      answer.writeHead(200, { "Content-Type": "application/json" });
      drip = setInterval(() => answer.write(" "), 50);
    });
    const end = performance.now() + 6_000;
    const response = await send({
      headers: { "elements-rewrite-urls": "true" },
      remainingMs: () => end - performance.now(),
    });
    clearInterval(drip);
    expect([response.status, response.headers?.["Elements-Error-Source"]]).toEqual([504, "linkspan"]);
    expect(end - performance.now()).toBeGreaterThan(4_000);
  });

  it("refuses to rewrite a body that is too large", async () => {
    bench.answer((_, answer) => {
      answer.writeHead(200, { "Content-Type": "application/json" });
      const chunk = Buffer.alloc(1024 * 1024, " ");
      for (let index = 0; index < 9; index++) answer.write(chunk);
      answer.end("{}");
    });
    const response = await send({ headers: { "elements-rewrite-urls": "true" } });
    expect([response.status, response.headers?.["Elements-Error-Source"]]).toEqual([502, "linkspan"]);
  });
});
