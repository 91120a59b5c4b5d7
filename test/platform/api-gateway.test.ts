import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
} from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { apiGateway } from "../../local/api-gateway/api-gateway.ts";
import { throttle } from "../../local/api-gateway/throttle.ts";
import type {
  ApiModel,
  ApiResource,
  GatewayResponseModel,
  MethodModel,
} from "../../local/template/api-model.ts";
import { lambdaOf, type TestLambda, until } from "./functions.ts";

const streaming = (body: string) => `
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const answer = (prelude) => awslambda.HttpResponseStream.from(stream, prelude);
  ${body}
});`;

const functions = {
  Echo: {
    code: streaming(`const out = answer({ statusCode: 200, headers: { "Content-Type": "application/json" } });
      out.write(JSON.stringify(event)); out.end();`),
  },
  /** Answers with the prelude and body that the caller sends as JSON. */
  Answer: {
    code: streaming(`const { prelude, body, fail, cut } = JSON.parse(Buffer.from(event.body, "base64"));
      if (fail) throw new Error(fail);
      const out = answer(prelude); out.write(body ?? "");
      if (cut) { await new Promise((r) => setTimeout(r, 50)); throw new Error("in the middle"); }
      out.end();`),
  },
  Raw: { code: streaming(`stream.write(Buffer.from(event.body, "base64")); stream.end();`) },
  Slow: {
    code: streaming(`const { wait } = event.queryStringParameters ?? {};
      const out = answer({ statusCode: 200, headers: { "Content-Type": "text/plain" } });
      out.write("first "); await new Promise((r) => setTimeout(r, Number(wait))); out.write("last"); out.end();
      console.log("finished");`),
  },
  Silent: { code: streaming("await new Promise((r) => setTimeout(r, 5000)); stream.end();") },
  Buffered: {
    code: `export const handler = async ({ queryStringParameters }) => queryStringParameters?.raw
      ? JSON.parse(queryStringParameters.raw) : ({ statusCode: 202, headers: { A: "1" }, body: "aGk=", isBase64Encoded: true });`,
  },
  Flood: {
    code: `import { once } from "node:events";`.concat(
      streaming(`const out = answer({ statusCode: 200 }); const piece = Buffer.alloc(65536, 1);
        for (let i = 0; i < 1600; i++) { if (!out.write(piece)) await once(out, "drain"); if (i % 16 === 15) console.log("sent"); }
        out.end();`),
    ),
  },
};

let ids = 0;
const node = (
  path: string,
  method: MethodModel | undefined,
  children: { literals?: Record<string, ApiResource>; variable?: ApiResource } = {},
): ApiResource => {
  const [, name, plus] = /\{(\w+)(\+?)\}$/.exec(children.variable?.path ?? "") ?? [];
  return {
    id: `node${ids++}`,
    path,
    methods: new Map(method === undefined ? [] : [["ANY", method]]),
    literals: new Map(Object.entries(children.literals ?? {})),
    ...(children.variable === undefined
      ? {}
      : { variable: { name: name ?? "", greedy: plus === "+", resource: children.variable } }),
  };
};
const stream = (functionName: string, timeoutMs = 20_000): MethodModel => ({
  functionName,
  mode: "STREAM",
  timeoutMs,
});
const echo = stream("Echo");

const root = node("/", echo, {
  literals: {
    echo: node("/echo", echo, { variable: node("/echo/{proxy+}", echo) }),
    things: node("/things", echo, {
      literals: { fixed: node("/things/fixed", echo) },
      variable: node("/things/{id}", echo, { variable: node("/things/{id}/{rest+}", echo) }),
    }),
    answer: node("/answer", stream("Answer")),
    raw: node("/raw", stream("Raw")),
    slow: node("/slow", stream("Slow")),
    silent: node("/silent", stream("Silent", 200)),
    flood: node("/flood", stream("Flood")),
    mute: node("/mute", stream("Silent")),
    late: node("/late", stream("Slow", 300)),
    buffered: node("/buffered", { functionName: "Buffered", mode: "BUFFERED", timeoutMs: 20_000 }),
    wrong: node("/wrong", stream("Buffered")),
    wrongtoo: node("/wrongtoo", { functionName: "Echo", mode: "BUFFERED", timeoutMs: 20_000 }),
    nothing: node("/nothing", undefined),
  },
});

const responses = new Map<string, GatewayResponseModel>();
const api: ApiModel = { id: "api", stage: "elements", root, binaryMediaTypes: ["*/*"], responses };

let lambda: TestLambda;
let server: Server;
let port: number;
const log: string[] = [];

beforeAll(async () => {
  lambda = await lambdaOf(functions);
  [server, port] = await gateway();
});
afterAll(async () => {
  stop(server);
  await lambda.close();
});

async function gateway(limits: { idleTimeoutMs?: number } = {}): Promise<[Server, number]> {
  const hosts: string[] = [];
  const started = createServer(
    { maxHeaderSize: 65_536 },
    apiGateway({ api, lambda, hosts, log: (line) => log.push(line), ...limits }),
  );
  started.listen(0, "127.0.0.1");
  await once(started, "listening");
  const { port: chosen } = started.address() as AddressInfo;
  hosts.push(`127.0.0.1:${chosen}`);
  return [started, chosen];
}

function stop(started: Server): void {
  started.close();
  started.closeAllConnections();
}
beforeEach(() => {
  responses.clear();
  log.length = 0;
});

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Sending {
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
  /** Port of another gateway than the usual one. */
  readonly to?: number;
}

/** Sends a request without normalizing its path. */
async function send(method: string, path: string, options: Sending = {}): Promise<Answered> {
  const response = await open(method, path, options);
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

async function open(
  method: string,
  path: string,
  { headers = {}, body, to = port }: Sending = {},
): Promise<IncomingMessage> {
  const sent = request({
    host: "127.0.0.1",
    port: to,
    method,
    path: `/elements${path}`,
    headers,
    agent: false,
  });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return response;
}

const eventOf = async (...parameters: Parameters<typeof send>): Promise<APIGatewayProxyEvent> => {
  const { status, body } = await send(...parameters);
  expect(status).toBe(200);
  return JSON.parse(body) as APIGatewayProxyEvent;
};
const answerOf = (answer: object) => send("POST", "/answer", { body: JSON.stringify(answer) });

describe("the event", () => {
  it("has the path below the stage, percent-encoded as it was sent", async () => {
    const event = await eventOf("GET", "/echo/a%2Fb/%C3%A4%20%23//x%25y");
    expect(event.path).toBe("/echo/a%2Fb/%C3%A4%20%23//x%25y");
    expect(event.resource).toBe("/echo/{proxy+}");
    expect(event.requestContext).toMatchObject({
      stage: "elements",
      path: "/elements/echo/a%2Fb/%C3%A4%20%23//x%25y",
      resourcePath: "/echo/{proxy+}",
      httpMethod: "GET",
      domainName: `127.0.0.1:${port}`,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      identity: { sourceIp: "127.0.0.1" },
    });
    expect(event.pathParameters).toEqual({ proxy: "a/b/ä #//x%y" });
  });

  it("has the query decoded, each name with all its values; a semicolon separates pairs too", async () => {
    const event = await eventOf("GET", "/echo?a=1&a=2&b=x+y%2B%C3%A4;c=3&d&e=&f=%zz&tags[]=t");
    expect(event.multiValueQueryStringParameters).toEqual({
      a: ["1", "2"],
      b: ["x y+ä"],
      c: ["3"],
      d: [""],
      e: [""],
      f: ["%zz"],
      "tags[]": ["t"],
    });
    expect(event.queryStringParameters).toMatchObject({ a: "2", b: "x y+ä" });
    expect((await eventOf("GET", "/echo")).queryStringParameters).toBeNull();
  });

  it("has the headers without those that API Gateway drops, and with the forwarding headers", async () => {
    const event = await eventOf("GET", "/echo", {
      headers: {
        "X-Two": ["1", "2"],
        Via: "1.1 x",
        TE: "trailers",
        "Content-MD5": "x",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        Authorization: "User a, Organization b",
      },
    });
    const names = Object.keys(event.headers).map((name) => name.toLowerCase());
    for (const dropped of ["via", "te", "content-md5", "connection"]) expect(names).not.toContain(dropped);
    expect(event.multiValueHeaders["X-Two"]).toEqual(["1", "2"]);
    expect(event.headers).toMatchObject({
      "X-Two": "2",
      "X-Forwarded-For": "203.0.113.9, 127.0.0.1",
      "X-Forwarded-Proto": "http",
      "X-Forwarded-Port": String(port),
      Authorization: "User a, Organization b",
    });
    expect(event.headers["X-Amzn-Trace-Id"]).toMatch(/^Root=1-/);
  });

  it("has a body in base64, byte for byte, or null when there was no body", async () => {
    const bytes = Buffer.from([0, 255, 1, 254, 10, 13]);
    const event = await eventOf("POST", "/echo", { body: bytes });
    expect(event.isBase64Encoded).toBe(true);
    expect(Buffer.from(event.body ?? "", "base64")).toEqual(bytes);
    expect(await eventOf("POST", "/echo")).toMatchObject({ body: null, isBase64Encoded: false });
  });

  it("has the method that X-HTTP-Method-Override names", async () => {
    const event = await eventOf("POST", "/echo", { headers: { "X-HTTP-Method-Override": "DELETE" } });
    expect(event.httpMethod).toBe("DELETE");
  });
});

describe("the route", () => {
  it("is found by literals first, then by the variable, and a slash at the end changes nothing", async () => {
    const resourceOf = async (path: string) => (await eventOf("GET", path)).resource;
    expect(await resourceOf("/things/fixed")).toBe("/things/fixed");
    expect(await resourceOf("/things/42")).toBe("/things/{id}");
    expect(await resourceOf("/things/42/a/b")).toBe("/things/{id}/{rest+}");
    expect(await resourceOf("/things/")).toBe("/things");
    expect(await resourceOf("/")).toBe("/");
    expect(await resourceOf("")).toBe("/");
  });

  it("is found without backtracking: below a literal nothing else is tried", async () => {
    const { status, body, headers } = await send("GET", "/things/fixed/more");
    expect([status, body]).toEqual([403, '{"message":"Missing Authentication Token"}']);
    expect(headers["x-amzn-errortype"]).toBe("MISSING_AUTHENTICATION_TOKEN");
  });

  it("that does not exist repeats the Authorization header in its error, as AWS does", async () => {
    const { status, body } = await send("GET", "/nothing", { headers: { Authorization: "User s3cret" } });
    expect(status).toBe(403);
    expect(body).toContain("User s3cret");
  });

  it("is refused for another host or stage, and for characters that a query must encode", async () => {
    expect((await send("GET", "/echo", { headers: { Host: "evil.example" } })).status).toBe(403);
    expect((await send("GET", "x/echo")).status).toBe(403);
    expect((await send("GET", "/echo?a={b}")).status).toBe(400);
  });
});

describe("the answer of a stream", () => {
  it("has the function's status, headers and bytes", async () => {
    const { status, headers, body } = await answerOf({
      prelude: {
        statusCode: 418,
        headers: { "Content-Type": "text/plain", "Content-Length": "4" },
        multiValueHeaders: { "Set-Cookie": ["a=1", "b=2"] },
      },
      body: "teäx".slice(0, 3),
    });
    expect(status).toBe(418);
    expect(body).toBe("teä");
    expect(headers).toMatchObject({
      "content-type": "text/plain",
      "content-length": "4",
      "set-cookie": ["a=1", "b=2"],
    });
    expect(headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("has some headers renamed and some removed", async () => {
    const { headers } = await answerOf({
      prelude: {
        statusCode: 401,
        headers: {
          "WWW-Authenticate": "Bearer",
          Server: "ours",
          "User-Agent": "x",
          Upgrade: "h2c",
          Date: "then",
        },
      },
    });
    expect(headers).toMatchObject({
      "x-amzn-remapped-www-authenticate": "Bearer",
      "x-amzn-remapped-server": "ours",
      "x-amzn-remapped-user-agent": "x",
      "x-amzn-remapped-date": "then",
    });
    for (const gone of ["www-authenticate", "server", "upgrade"]) expect(headers).not.toHaveProperty(gone);
    expect(headers.date).toMatch(/GMT$/);
  });

  it("arrives with its first byte before the last one is written", async () => {
    const response = await open("GET", "/slow?wait=400");
    const chunks: [string, number][] = [];
    for await (const chunk of response.setEncoding("utf8")) chunks.push([chunk as string, performance.now()]);
    expect(chunks.map(([text]) => text).join("")).toBe("first last");
    expect((chunks.at(-1)?.[1] ?? 0) - (chunks[0]?.[1] ?? 0)).toBeGreaterThan(200);
  });

  it.each([204, 304])("can be a %s without a body", async (statusCode) => {
    const { status, body } = await answerOf({ prelude: { statusCode } });
    expect([status, body]).toEqual([statusCode, ""]);
  });

  it("has no body for HEAD, though the function sent one", async () => {
    const { status, body, headers } = await send("HEAD", "/echo");
    expect([status, body]).toEqual([200, ""]);
    expect(headers["content-type"]).toBe("application/json");
  });

  it("is cut off when the function breaks in the middle", async () => {
    const response = await open("POST", "/answer", {
      body: JSON.stringify({ prelude: { statusCode: 200 }, body: "half", cut: true }),
    });
    expect(response.statusCode).toBe(200);
    await expect(response.toArray()).rejects.toThrow(/aborted/);
  });

  it("is cut off when it is shorter than its Content-Length", async () => {
    const response = await open("POST", "/answer", {
      body: JSON.stringify({ prelude: { headers: { "Content-Length": "10" } }, body: "half" }),
    });
    await expect(response.toArray()).rejects.toThrow(/aborted/);
  });

  it("is cut off at the integration's timeout", async () => {
    const response = await open("GET", "/late?wait=5000");
    await expect(response.toArray()).rejects.toThrow(/aborted/);
  });

  it("is cut off when no byte comes for too long, and is a 504 when none has come at all", async () => {
    const [impatient, to] = await gateway({ idleTimeoutMs: 2_000 });
    try {
      const response = await open("GET", "/slow?wait=10000", { to });
      await expect(response.toArray()).rejects.toThrow(/aborted/);
      expect((await send("GET", "/mute", { to })).status).toBe(504);
      expect((await send("GET", "/slow?wait=100", { to })).body).toBe("first last");
    } finally {
      stop(impatient);
    }
  });

  it("continues for the function when the client disconnects", async () => {
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET /elements/slow?wait=300 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    await once(socket, "data");
    const before = lambda.logs("Slow").filter((line) => line.includes("finished")).length;
    socket.destroy();
    await until(
      () => lambda.logs("Slow").filter((line) => line.includes("finished")).length > before,
      "the function comes to its end",
    );
  });

  it("comes at the reader's pace: the function does not send what the reader does not read", async () => {
    const response = await open("GET", "/flood");
    const sent = () => lambda.logs("Flood").length;
    const reading = response[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>;
    let bytes = (await reading.next()).value?.length ?? 0;
    let [before, since] = [sent(), performance.now()];
    await until(() => {
      if (sent() !== before) [before, since] = [sent(), performance.now()];
      return performance.now() - since > 300;
    }, "the function stands still");
    expect(sent()).toBeLessThan(30);
    for await (const chunk of reading) bytes += chunk.length;
    expect(bytes).toBe(100 * 1024 * 1024);
  });
});

describe("an error of the gateway itself", () => {
  it.each([
    ["a function that throws before it writes", "/answer", JSON.stringify({ fail: "x" })],
    ["a stream without a delimiter", "/raw", `{"statusCode":200}`],
    ["a prelude that is not JSON", "/raw", `nonsense${"\0".repeat(8)}`],
    ["a prelude of more than 16 KB", "/raw", `{"headers":{"a":"${"x".repeat(17_000)}"}}${"\0".repeat(8)}`],
    ["an invalid status", "/raw", `{"statusCode":99}${"\0".repeat(8)}`],
    ["a header that cannot be sent", "/answer", JSON.stringify({ prelude: { headers: { a: "x\ny" } } })],
    ["a function that does not stream", "/wrong", ""],
    ["a function that streams where it should not", "/wrongtoo", ""],
  ])("is a 502 for %s", async (_, path, body) => {
    const answer = await send("POST", path, { body });
    expect([answer.status, answer.body]).toEqual([
      502,
      '{"message": "Internal server error"}'.replace(": ", ":"),
    ]);
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(/INTEGRATION_FAILURE/);
  });

  it("is a 504 when the function does not answer in time", async () => {
    const { status, body } = await send("GET", "/silent");
    expect([status, body]).toEqual([504, '{"message":"Endpoint request timed out"}']);
  });

  it("has the shape that the stacks define", async () => {
    responses.set("DEFAULT_5XX", {
      headers: { "X-Error": "'ours'", "Elements-Request-Id": "context.requestId" },
      template: '{"requestId":"$context.requestId","why":"$context.error.responseType"}',
    });
    responses.set("INTEGRATION_TIMEOUT", { statusCode: 503, headers: {} });
    const failed = await send("POST", "/answer", { body: JSON.stringify({ fail: "x" }) });
    expect(failed.status).toBe(502);
    expect(failed.headers["x-error"]).toBe("ours");
    expect(JSON.parse(failed.body)).toEqual({
      requestId: failed.headers["elements-request-id"],
      why: "INTEGRATION_FAILURE",
    });
    expect((await send("GET", "/silent")).status).toBe(503);
  });

  it("is API Gateway's own 413 above 10 MB, and a 413 in our shape above Lambda's 6 MB", async () => {
    responses.set("DEFAULT_4XX", { headers: {}, template: '{"code":"too_large"}' });
    const own = await send("POST", "/echo", { body: Buffer.alloc(10 * 1024 * 1024 + 1) });
    expect([own.status, own.body]).toEqual([413, '{"message":"Request Entity Too Large"}']);
    const shaped = await send("POST", "/echo", { body: Buffer.alloc(4.6 * 1024 * 1024) });
    expect([shaped.status, shaped.body]).toEqual([413, '{"code":"too_large"}']);
    expect((await send("POST", "/echo", { body: Buffer.alloc(1024 * 1024) })).status).toBe(200);
  });
});

describe("a buffered integration", () => {
  it("answers what the function returned", async () => {
    const { status, headers, body } = await send("GET", "/buffered");
    expect([status, headers.a, body]).toEqual([202, "1", "hi"]);
  });

  it.each([`{"statusCode":200,"cookies":[]}`, `"text"`, `{"statusCode":200,"body":{}}`])(
    "is a 502 for %s",
    async (raw) => {
      expect((await send("GET", `/buffered?raw=${encodeURIComponent(raw)}`)).status).toBe(502);
    },
  );
});

describe("the throttle", () => {
  it("lets a burst pass, and then a fixed number of requests a second", () => {
    let now = 0;
    const mayPass = throttle({ rate: 10, burst: 3 }, () => now);
    expect([1, 2, 3, 4].map(mayPass)).toEqual([true, true, true, false]);
    now += 100;
    expect([mayPass(), mayPass()]).toEqual([true, false]);
    now += 60_000;
    expect([1, 2, 3, 4].map(mayPass)).toEqual([true, true, true, false]);
  });

  it("applies to the whole stage: a request above it gets 429", async () => {
    const gateway = apiGateway({
      api: { ...api, throttle: { rate: 0.001, burst: 1 } },
      lambda,
      hosts: [`127.0.0.1:${port}`],
    });
    const listeners = server.listeners("request") as ((...parameters: unknown[]) => void)[];
    server.removeAllListeners("request").on("request", gateway);
    try {
      expect((await send("GET", "/echo")).status).toBe(200);
      const { status, headers } = await send("GET", "/echo");
      expect([status, headers["x-amzn-errortype"]]).toEqual([429, "THROTTLED"]);
    } finally {
      server.removeAllListeners("request");
      for (const listener of listeners) server.on("request", listener);
    }
  });
});
