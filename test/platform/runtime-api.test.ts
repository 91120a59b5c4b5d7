import { type IncomingMessage, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Invocation } from "../../local/lambda/invocation.ts";
import { type RuntimeApi, startRuntimeApi } from "../../local/lambda/runtime-api.ts";
import { lambdaOf, until } from "./functions.ts";

let api: RuntimeApi;
let idle = 0;
let initFailures = 0;
beforeEach(async () => {
  [idle, initFailures] = [0, 0];
  api = await startRuntimeApi({
    idle: () => {
      idle += 1;
    },
    initFailed: () => {
      initFailures += 1;
    },
  });
});
afterEach(() => api.close());

/** A request that any user of this machine can send. */
function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  address = api.address,
): { answer: Promise<IncomingMessage>; leave: () => void } {
  const [, hostname = "", port = ""] = /^(.*?):(\d+)/.exec(address) ?? [];
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request({ hostname, port, method, path, headers }, (answer) => resolve(answer.resume()));
  sent.on("error", reject).end(method === "POST" ? "{}" : undefined);
  promise.catch(() => undefined);
  return { answer: promise, leave: () => sent.destroy() };
}

const secretOf = (address: string): string => address.split("/")[1] ?? "";
const routes = [
  ["GET", "/2018-06-01/runtime/invocation/next"],
  ["POST", "/2018-06-01/runtime/init/error"],
  ["POST", "/2018-06-01/runtime/invocation/an-event/response"],
  ["POST", "/2018-06-01/runtime/invocation/an-event/error"],
] as const;

const event = (): Invocation & { ended: string[] } => {
  const ended: string[] = [];
  return {
    requestId: "an-event",
    payload: '{"secret":"of the event"}',
    traceId: "trace",
    answer: () => ended.push("answered"),
    fail: () => ended.push("failed"),
    ended,
  };
};

describe("the Runtime API of a process", () => {
  it("refuses a caller without its secret on every route, and gives the event to the caller with the secret", async () => {
    const secret = secretOf(api.address);
    expect(secret.length).toBeGreaterThanOrEqual(32);
    const wrong = secret.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
    const invocation = event();
    const process = send("GET", `/${secret}/2018-06-01/runtime/invocation/next`);
    await until(() => idle === 1, "the process waits", 2_000);
    for (const [method, route] of routes)
      for (const prefix of ["", "/", `/${wrong}`, `/${secret}x`, `/x/${secret}`])
        expect((await send(method, prefix + route).answer).statusCode, prefix + route).toBe(403);
    expect([idle, initFailures, invocation.ended]).toEqual([1, 0, []]);
    api.give(invocation, "arn", 0);
    expect((await process.answer).headers["lambda-runtime-aws-request-id"]).toBe("an-event");
    for (const [method, route] of routes)
      expect((await send(method, route).answer).statusCode, route).toBe(403);
    expect([idle, initFailures, invocation.ended]).toEqual([1, 0, []]);
  });

  it("refuses another host name, even with the right secret", async () => {
    for (const [method, route] of routes) {
      const sent = send(method, `/${secretOf(api.address)}${route}`, { Host: "evil.example" });
      expect((await sent.answer).statusCode, route).toBe(403);
    }
    expect([idle, initFailures]).toEqual([0, 0]);
  });

  it("lets a process wait once, and gives no event to a process that gave up", async () => {
    const next = `/${secretOf(api.address)}/2018-06-01/runtime/invocation/next`;
    const first = send("GET", next);
    await until(() => idle === 1, "the process waits", 2_000);
    expect((await send("GET", next).answer).statusCode).toBe(400);
    expect(idle).toBe(1);
    first.leave();
    let second = send("GET", next);
    await until(
      async () => {
        if (idle === 2) return true;
        const refused = await Promise.race([second.answer.then(() => true), pause(50).then(() => false)]);
        if (refused && idle === 1) second = send("GET", next);
        return false;
      },
      "the first one is seen to have left",
      5_000,
    );
    api.give(event(), "arn", 0);
    expect((await second.answer).headers["lambda-runtime-aws-request-id"]).toBe("an-event");
    expect(() => api.give(event(), "arn", 0)).toThrow("does not wait");
  });
});

describe("a function that misuses its Runtime API", () => {
  it("ends only its own process: the next event gets a new one", async () => {
    // Waits a second time beside its own client, gives up, and reports a start error.
    const code = `import http from "node:http";
      const [, hostname, port, base] = /^([^:]+):(\\d+)(.*)$/.exec(process.env.AWS_LAMBDA_RUNTIME_API);
      const call = (method, path) => new Promise((resolve) => {
        const sent = http.request({ hostname, port, method, path: base + "/2018-06-01/runtime" + path }, (answer) => { answer.resume(); resolve(answer.statusCode); });
        sent.on("error", resolve).end(method === "POST" ? "{}" : undefined); setTimeout(() => sent.destroy(), 100); });
      export const handler = async (event) => {
        if (event.play) { await call("GET", "/invocation/next"); await call("GET", "/invocation/next"); await call("POST", "/init/error"); await call("POST", "/invocation/none/response"); }
        return process.pid; };`;
    const lambda = await lambdaOf({ Plays: { code } });
    try {
      await lambda.invokeJson("Plays", { play: true }).catch(() => undefined);
      const pids = await Promise.all([1, 2, 3].map(() => lambda.invokeJson("Plays").catch(String)));
      const after = await lambda.invokeJson("Plays");
      expect(typeof after, String(pids)).toBe("number");
    } finally {
      await lambda.close();
    }
  });

  it("gets the address in the variable that Amazon's own clients read", async () => {
    const lambda = await lambdaOf({
      Environment: { code: "export const handler = async () => process.env;" },
    });
    try {
      const environment = (await lambda.invokeJson("Environment")) as Record<string, string>;
      expect(environment.AWS_LAMBDA_RUNTIME_API).toMatch(/^127\.0\.0\.1:\d+\/[\w-]{32}$/);
      const stranger = send("GET", routes[0][1], {}, environment.AWS_LAMBDA_RUNTIME_API);
      expect((await stranger.answer).statusCode).toBe(403);
    } finally {
      await lambda.close();
    }
  });
});
