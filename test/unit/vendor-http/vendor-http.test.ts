import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { readBody } from "../../../functions/core/read-body.ts";
import { readJson } from "../../../functions/core/vendor-answer/read-answer.ts";
import {
  AddressRefused,
  type VendorHttp,
  type VendorRequest,
  VendorUnreachable,
} from "../../../functions/core/vendor-http.ts";
import { createVendorHttp } from "../../../functions/vendor-http/vendor-http.ts";
import { selfSignedCertificate } from "./certificate.ts";

const HOST = "api.vendor.example";
const closing: (() => unknown)[] = [];

afterEach(async () => {
  delete process.env.LINKSPAN_VENDOR_ENDPOINTS;
  for (const close of closing.splice(0)) await close();
});

function standIn(table: Record<string, string>): void {
  process.env.LINKSPAN_VENDOR_ENDPOINTS = JSON.stringify(table);
}

async function listen(
  server: Server | ReturnType<typeof createTcpServer>,
  host = "127.0.0.1",
): Promise<number> {
  server.listen(0, host);
  await once(server, "listening");
  closing.push(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A vendor on plain HTTP, as the local platform's stand-ins are. */
async function vendor(listener: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createHttpServer(listener);
  const port = await listen(server);
  standIn({ [HOST]: `http://127.0.0.1:${port}` });
  return { server, port };
}

/** A vendor that sends raw bytes. */
async function rawVendor(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnection(socket);
  });
  const port = await listen(server);
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
  });
  standIn({ [HOST]: `http://127.0.0.1:${port}` });
  return port;
}

const request = (change: Partial<VendorRequest> = {}): VendorRequest => ({
  method: "GET",
  url: `https://${HOST}/`,
  headers: [],
  allowedHosts: [HOST],
  timeoutMs: 5_000,
  ...change,
});

async function failure(http: VendorHttp, change: Partial<VendorRequest> = {}): Promise<VendorUnreachable> {
  const error = await http.send(request(change)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof VendorUnreachable))
    throw new Error(`expected VendorUnreachable, got ${String(error)}`);
  return error;
}

describe("a request to a vendor", () => {
  it("arrives byte for byte: path, query, header names and order, body", async () => {
    const seen: { raw: string[]; url: string; body: string }[] = [];
    await vendor(async (incoming, answer) => {
      seen.push({ raw: incoming.rawHeaders, url: incoming.url ?? "", body: await text(incoming) });
      answer.end();
    });
    const response = await createVendorHttp().send(
      request({
        method: "POST",
        url: `https://${HOST}/a/../%7eb//c%2Fd;x?q=%20+&q=1&&é`.replace("é", "%C3%A9"),
        headers: [
          ["Dropbox-API-Arg", '{"path":"/a"}'],
          ["X-twice", "1"],
          ["X-twice", "2"],
          ["Transfer-Encoding", "chunked"],
          ["HOST", "evil.example"],
          ["Content-Length", "999"],
        ],
        body: "höflich",
      }),
    );
    await readBody(response, 10);
    expect(seen[0]?.url).toBe("/a/../%7eb//c%2Fd;x?q=%20+&q=1&&%C3%A9");
    expect(seen[0]?.body).toBe("höflich");
    expect(seen[0]?.raw).toEqual([
      "Host",
      HOST,
      "Dropbox-API-Arg",
      '{"path":"/a"}',
      "X-twice",
      "1",
      "X-twice",
      "2",
      "Content-Length",
      "8",
      "Connection",
      "keep-alive",
    ]);
  });

  it("has Content-Length: 0 for a POST without a body, and no length for a GET", async () => {
    const lengths: (string | undefined)[] = [];
    await vendor((incoming, answer) => {
      lengths.push(incoming.headers["content-length"], incoming.headers["transfer-encoding"]);
      answer.end();
    });
    const http = createVendorHttp();
    for (const method of ["POST", "GET", "DELETE"]) await readBody(await http.send(request({ method })), 10);
    expect(lengths).toEqual(["0", undefined, undefined, undefined, undefined, undefined]);
  });

  it("returns the answer as it was sent: not decompressed, but without cookies", async () => {
    const compressed = gzipSync("hello");
    await vendor((_, answer) => {
      answer.writeHead(203, [
        ["Content-Encoding", "gzip"],
        ["Set-Cookie", "a=b"],
        ["X-Twice", "1"],
        ["X-Twice", "2"],
      ] as never);
      answer.end(compressed);
    });
    const response = await createVendorHttp().send(request());
    expect(response.status).toBe(203);
    expect(response.headers).toMatchObject({ "content-encoding": "gzip", "x-twice": "1, 2" });
    expect(JSON.stringify([response.headers, response.rawHeaders])).not.toContain("a=b");
    expect(response.rawHeaders).toContainEqual(["X-Twice", "2"]);
    expect((await readBody(response, 100)).equals(compressed)).toBe(true);
  });

  it("calls beforeSend when the connection is made, and is not sent when beforeSend throws", async () => {
    let requests = 0;
    const { server } = await vendor((_, answer) => {
      requests += 1;
      answer.end();
    });
    let connections = 0;
    server.on("connection", () => {
      connections += 1;
    });
    const http = createVendorHttp();
    const refusal = new Error("too late");
    await expect(
      http.send(
        request({
          method: "POST",
          body: "refresh_token=r",
          beforeSend: () => {
            throw refusal;
          },
        }),
      ),
    ).rejects.toBe(refusal);
    const order: string[] = [];
    const response = await http.send(
      request({ beforeSend: () => order.push(`before, ${requests} requests`) }),
    );
    await readBody(response, 10);
    expect(order).toEqual(["before, 0 requests"]);
    expect([connections >= 1, requests]).toEqual([true, 1]);
  });

  it("reuses a connection, unless it asks for a fresh one", async () => {
    const { server } = await vendor((_, answer) => answer.end("ok"));
    let connections = 0;
    server.on("connection", () => {
      connections += 1;
    });
    const http = createVendorHttp();
    const call = async (freshConnection: boolean): Promise<void> => {
      await readBody(await http.send(request({ freshConnection })), 10);
      await nextTurn();
    };
    await call(false);
    await call(false);
    expect(connections).toBe(1);
    await call(true);
    await call(true);
    expect(connections).toBe(3);
  });

  it("is repeated once when a kept connection is dead, only if it is a GET", async () => {
    const methods: string[] = [];
    await rawVendor((socket) => {
      let count = 0;
      socket.on("data", (data) => {
        methods.push(data.toString("latin1").split(" ")[0] ?? "");
        // Each connection answers once, and breaks at its second request.
        count += 1;
        if (count === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        else socket.destroy();
      });
    });
    const http = createVendorHttp();
    const get = async (): Promise<string> => (await readBody(await http.send(request()), 10)).toString();
    expect(await get()).toBe("ok");
    await nextTurn();
    expect(await get()).toBe("ok");
    expect(methods).toEqual(["GET", "GET", "GET"]);
    expect(await get()).toBe("ok");
    await nextTurn();
    const error = await failure(http, { method: "POST", body: "x" });
    expect(error.sent).toBe(true);
    expect(methods).toEqual(["GET", "GET", "GET", "GET", "POST"]);
  });
});

describe("an unreachable vendor", () => {
  it("has not got the request when the connection is refused", async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((done) => server.close(done));
    standIn({ [HOST]: `http://127.0.0.1:${port}` });
    const error = await failure(createVendorHttp(), { method: "POST", body: "x" });
    expect([error.sent, error.timedOut]).toEqual([false, false]);
  });

  it("has not got the request when its name does not resolve", async () => {
    const http = createVendorHttp({
      lookup: (_, __, callback) =>
        callback(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }), ""),
    });
    const error = await failure(http);
    expect([error.sent, error.timedOut]).toEqual([false, false]);
    expect(error.message).toContain("ENOTFOUND");
  });

  it("has not got the request when the connection times out", async () => {
    const http = createVendorHttp({ lookup: () => {} });
    const error = await failure(http, { timeoutMs: 30 });
    expect([error.sent, error.timedOut]).toEqual([false, true]);
  });

  it("may have acted when it accepts the request and never answers", async () => {
    await rawVendor(() => {});
    const error = await failure(createVendorHttp(), { timeoutMs: 50 });
    expect([error.sent, error.timedOut]).toEqual([true, true]);
  });

  it.each([
    ["closes without an answer", ""],
    ["answers with no HTTP", "SSH-2.0-OpenSSH\r\n\r\n"],
    ["breaks in the middle of its headers", "HTTP/1.1 200 OK\r\nContent-"],
    ["sends endless headers", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(40_000)}\r\n\r\n`],
    [
      "frames its body in two ways",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
  ])("may have acted when it %s", async (_, bytes) => {
    await rawVendor((socket) => socket.once("data", () => socket.end(bytes)));
    const error = await failure(createVendorHttp(), { method: "POST", body: "x" });
    expect(error.sent).toBe(true);
  });

  it("stops on a signal, before and after sending", async () => {
    await rawVendor(() => {});
    const early = await failure(createVendorHttp(), { signal: AbortSignal.abort() });
    expect(early.sent).toBe(false);
    const controller = new AbortController();
    const late = await failure(createVendorHttp(), {
      signal: controller.signal,
      beforeSend: () => setImmediate(() => controller.abort()),
    });
    expect([late.sent, late.timedOut]).toEqual([true, false]);
  });

  it.each([
    ["with the protocol's name", "Upgrade: websocket\r\nConnection: Upgrade\r\n"],
    ["without", ""],
  ])("ends the request at once when it switches to another protocol, %s", async (_, headers) => {
    let closed: Promise<unknown> | undefined;
    await rawVendor((socket) => {
      closed = once(socket, "close");
      socket.once("data", () => socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`));
    });
    const error = await failure(createVendorHttp(), {
      timeoutMs: 285_000,
      headers: [
        ["Upgrade", "websocket"],
        ["Connection", "Upgrade"],
      ],
    });
    expect(error).toMatchObject({ sent: true, timedOut: false });
    expect(error.message).toContain("another protocol");
    await closed;
  });

  it("is waited for while it answers 102 Processing", async () => {
    await rawVendor((socket) => {
      socket.once("data", () =>
        socket.write("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
      );
    });
    const response = await createVendorHttp().send(request());
    expect([response.status, String(await readBody(response, 10))]).toEqual([200, "ok"]);
  });

  it("has no path and no header in its error", async () => {
    await rawVendor((socket) => socket.once("data", () => socket.destroy()));
    const error = await failure(createVendorHttp(), {
      url: `https://${HOST}/?access_token=topsecret`,
      headers: [["Authorization", "Bearer topsecret"]],
    });
    expect(`${error.stack} ${String(error.cause)}`).not.toContain("topsecret");
  });
});

describe("an answer's body", () => {
  it("is a stream: its first bytes arrive before the vendor has sent the last", async () => {
    let finish = (): void => {};
    await vendor((_, answer) => {
      answer.write("first");
      finish = () => answer.end("last");
    });
    const { body } = await createVendorHttp().send(request());
    const reader = body[Symbol.asyncIterator]();
    expect(String((await reader.next()).value)).toBe("first");
    finish();
    expect(String((await reader.next()).value)).toBe("last");
  });

  it("slows the vendor down while nobody reads", async () => {
    let written = 0;
    await vendor((_, answer) => {
      const chunk = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (written < 200_000_000) {
          written += chunk.length;
          if (!answer.write(chunk)) return void answer.once("drain", more);
        }
      };
      more();
    });
    const { body } = await createVendorHttp().send(request());
    let before = -1;
    // Waits until the socket buffers are full and nothing has been written for a while.
    for (let still = 0; still < 50; still = written === before ? still + 1 : 0) {
      before = written;
      await nextTurn();
    }
    expect(written).toBeLessThan(50_000_000);
    body.destroy();
  });

  it("fails when the vendor stalls, and when the connection is cut", async () => {
    await vendor((incoming, answer) => {
      answer.writeHead(200, { "Content-Length": "10" });
      answer.write("part");
      if (incoming.url === "/cut") setImmediate(() => answer.destroy());
    });
    const http = createVendorHttp();
    const stalled = await http.send(request({ idleTimeoutMs: 40 }));
    await expect(readBody(stalled, 100)).rejects.toMatchObject({ name: "VendorUnreachable", timedOut: true });
    const cut = await http.send(request({ url: `https://${HOST}/cut` }));
    await expect(readBody(cut, 100)).rejects.toMatchObject({ name: "VendorUnreachable", timedOut: false });
  });

  it("ends on a signal", async () => {
    await vendor((_, answer) => answer.write("part"));
    const controller = new AbortController();
    const response = await createVendorHttp().send(request({ signal: controller.signal }));
    const reading = readBody(response, 100);
    controller.abort();
    await expect(reading).rejects.toMatchObject({ name: "VendorUnreachable" });
  });

  it("is empty for HEAD, 204 and 304, and the connection is reused", async () => {
    const { server } = await vendor((incoming, answer) => {
      answer.writeHead(
        Number(incoming.url?.slice(1)),
        incoming.method === "HEAD" ? { "Content-Length": "5" } : {},
      );
      answer.end();
    });
    let connections = 0;
    server.on("connection", () => {
      connections += 1;
    });
    const http = createVendorHttp();
    for (const [method, status] of [
      ["HEAD", 200],
      ["GET", 204],
      ["GET", 304],
    ] as const) {
      const response = await http.send(request({ method, url: `https://${HOST}/${status}` }));
      expect([response.status, (await readBody(response, 10)).length]).toEqual([status, 0]);
      await nextTurn();
    }
    expect(connections).toBe(1);
  });

  it("is refused when it is larger than the limit, or not JSON", async () => {
    await vendor((incoming, answer) => answer.end(incoming.url === "/json" ? '{"a":1}' : "<html>too long"));
    const http = createVendorHttp();
    await expect(readBody(await http.send(request()), 5)).rejects.toMatchObject({ status: 502 });
    await expect(readJson(await http.send(request()), 100)).rejects.toMatchObject({
      status: 502,
      code: "vendor_answer_unreadable",
    });
    expect(await readJson(await http.send(request({ url: `https://${HOST}/json` })), 100)).toEqual({ a: 1 });
  });
});

describe("redirects", () => {
  it("are not followed by default", async () => {
    await vendor((_, answer) => answer.writeHead(302, { Location: "/elsewhere" }).end());
    const response = await createVendorHttp().send(request());
    expect([response.status, response.headers.location]).toEqual([302, "/elsewhere"]);
  });

  it("are followed to a declared suffix, without the credential", async () => {
    const { port } = await vendor((incoming, answer) => {
      seen.push([
        incoming.headers.host ?? "",
        incoming.headers.authorization ?? "none",
        incoming.headers.range ?? "",
      ]);
      if (incoming.headers.host === HOST)
        answer.writeHead(302, { Location: "https://dl.bytes.example/x%2Fy?sig=a%20b" });
      answer.end(incoming.url);
    });
    const seen: string[][] = [];
    standIn({ [HOST]: `http://127.0.0.1:${port}`, "dl.bytes.example": `http://127.0.0.1:${port}` });
    const response = await createVendorHttp().send(
      request({
        followRedirects: true,
        allowedHosts: [HOST, "*.bytes.example"],
        headers: [
          ["Authorization", "Bearer secret"],
          ["Range", "bytes=0-1"],
        ],
      }),
    );
    expect((await readBody(response, 100)).toString()).toBe("/x%2Fy?sig=a%20b");
    expect(response.url).toBe("https://dl.bytes.example/x%2Fy?sig=a%20b");
    expect(seen).toEqual([
      [HOST, "Bearer secret", "bytes=0-1"],
      ["dl.bytes.example", "none", "bytes=0-1"],
    ]);
  });

  it.each([
    "https://evil.example/",
    "https://bytes.example/",
    "https://xbytes.example/",
    "https://dl.bytes.example:8443/",
    "http://dl.bytes.example/",
    "https://user@dl.bytes.example/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "file:///etc/passwd",
    "https://",
  ])("are refused to %s", async (location) => {
    let hits = 0;
    await vendor((_, answer) => {
      hits += 1;
      answer.writeHead(302, { Location: location }).end();
    });
    await expect(
      createVendorHttp().send(request({ followRedirects: true, allowedHosts: [HOST, "*.bytes.example"] })),
    ).rejects.toThrow(AddressRefused);
    expect(hits).toBe(1);
  });

  it("end after five hops", async () => {
    let hits = 0;
    await vendor((_, answer) => {
      hits += 1;
      answer.writeHead(307, { Location: "/again" }).end();
    });
    await failure(createVendorHttp(), { followRedirects: true });
    expect(hits).toBe(6);
  });

  it("of a POST are not followed", async () => {
    await vendor((_, answer) => answer.writeHead(307, { Location: "/again" }).end());
    const response = await createVendorHttp().send(request({ method: "POST", followRedirects: true }));
    expect(response.status).toBe(307);
  });
});

describe("hosts", () => {
  it.each([
    "https://other.example/",
    `https://${HOST}:444/`,
    `http://${HOST}/`,
    `https://${HOST}@evil.example/`,
  ])("that are not declared are refused: %s", async (url) => {
    await vendor((_, answer) => answer.end());
    await expect(createVendorHttp().send(request({ url }))).rejects.toThrow(AddressRefused);
  });

  it("that a connector declares are still refused when they are inside the network", async () => {
    await vendor((_, answer) => answer.end("inside"));
    for (const host of ["localhost", "127.0.0.1", "[::1]", "169.254.169.254", "127.1"]) {
      const refused = createVendorHttp().send(request({ url: `https://${host}/`, allowedHosts: [host] }));
      await expect(refused).rejects.toThrow(AddressRefused);
    }
  });

  it("are exempt from the address check only for the stand-in's exact origin", async () => {
    const { port } = await vendor((_, answer) => answer.end("stand-in"));
    const http = createVendorHttp();
    expect((await readBody(await http.send(request()), 20)).toString()).toBe("stand-in");
    const direct = request({ url: `https://127.0.0.1:${port}/`, allowedHosts: [`127.0.0.1:${port}`] });
    await expect(http.send(direct)).rejects.toThrow(AddressRefused);
  });

  it.each(["CONNECT", "TRACE", "get", "GET / HTTP/1.1\r\nX:", ""])(
    "never get a request with the method %j",
    async (method) => {
      await vendor((_, answer) => answer.end());
      await expect(createVendorHttp().send(request({ method }))).rejects.toThrow(AddressRefused);
    },
  );
});

describe("TLS", () => {
  it("is verified, and the handshake is complete before the request counts as sent", async () => {
    const { key, cert } = selfSignedCertificate();
    const seen: string[] = [];
    const server = createHttpsServer({ key, cert }, (incoming, answer) => {
      seen.push(`${incoming.headers.host} ${incoming.url}`);
      answer.end("over TLS");
    });
    const port = await listen(server, "localhost");
    standIn({ [HOST]: `https://localhost:${port}` });

    let asked = false;
    const beforeSend = (): void => {
      asked = true;
    };
    const distrusted = await failure(createVendorHttp(), { beforeSend });
    expect([distrusted.sent, asked, seen.length]).toEqual([false, false, 0]);

    const response = await createVendorHttp({ ca: cert }).send(request({ beforeSend }));
    expect((await readBody(response, 20)).toString()).toBe("over TLS");
    expect([asked, seen]).toEqual([true, [`${HOST} /`]]);
  });
});

async function text(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
