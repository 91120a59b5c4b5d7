import { readdirSync } from "node:fs";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "./functions.ts";
import { type RunningPlatform, startTestPlatform } from "./start.ts";

let platform: RunningPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

interface Answered {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** Sends a request without normalizing its path, as `fetch` would do. */
function send(
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: Buffer } = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(platform.url);
    request({ hostname, port, method, path, headers: options.headers ?? {} }, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      resolve({
        status: response.statusCode ?? 0,
        contentType: response.headers["content-type"] ?? "",
        text,
      });
    })
      .on("error", reject)
      .end(options.body);
  });
}

const secret = "lsu_a-secret-that-must-not-come-back";

describe("through API Gateway and the functions", () => {
  it.each([
    "/elements",
    "/elements/",
    "/elements/nothing",
    "/elements/api-v2",
    "/elements/api-v2/nothing",
    "/elements/api-v2//x",
    "/elements/api-v2/a/b/c/d/e",
    "/elements/api-v2/hubs/documents/elements/x/y",
    "/elements/api-v2/hubs/x/y/z",
    "/elements/api-v2/elements/x/y/z",
    "/elements/api-v2/elements/dropbox/instances/1/2/3",
    "/elements/api-v2/instances/1/2/3/4",
    "/elements/api-v2/connect/sessions/a/b/c",
    "/elements/api-v2/oauth/nothing",
    "/elements/api-v2/hubs/documents/nothing",
    "/elements/api-v2/files/%zz",
    "/elements/api-v2/..%2f..%2fetc",
  ])("answers %s in our shape, and never repeats the Authorization header", async (path) => {
    for (const method of ["GET", "DELETE", "PUT"]) {
      const answer = await send(method, path, {
        headers: { Authorization: `User ${secret}, Organization ${secret}` },
      });
      expect([307, 400, 401, 404, 405]).toContain(answer.status);
      expect(answer.contentType).toBe("application/json");
      expect(JSON.parse(answer.text)).toMatchObject({
        // API Gateway's extended request id, as in API Gateway's error bodies and the access log.
        requestId: expect.stringMatching(/^[\w+/-]{15}=$/),
        message: expect.any(String),
        code: expect.any(String),
      });
      expect(answer.text).not.toContain(secret);
    }
  });

  it("answers another method of a known path with 405 and the allowed methods", async () => {
    const answer = await fetch(`${platform.baseUrl}/elements`, { method: "DELETE" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await answer.json()).toMatchObject({ code: "method_not_allowed" });
  });

  it("accepts a body of about 4.5 MB and refuses a larger one in our shape, above 10 MB in API Gateway's own shape", async () => {
    const post = (bytes: number) =>
      send("POST", "/elements/api-v2/instances", {
        headers: { "Content-Type": "application/json", Authorization: `User ${secret}` },
        body: Buffer.alloc(bytes, " "),
      });
    const megabyte = 1024 * 1024;
    expect((await post(4.4 * megabyte)).status).toBe(401);
    const more = await post(4.7 * megabyte);
    expect(more.status).toBe(413);
    expect(JSON.parse(more.text)).toMatchObject({ requestId: expect.any(String), code: expect.any(String) });
    const most = await post(10 * megabyte + 1);
    expect([most.status, JSON.parse(most.text)]).toEqual([413, { message: "Request Entity Too Large" }]);
  });

  it("continues after a function's process was killed", async () => {
    const alive = async () => (await fetch(`${platform.baseUrl}/elements`)).status;
    expect(await alive()).toBe(200);
    const before = platform.lambda.processes("Authorization").map(({ pid }) => pid);
    platform.lambda.kill("Authorization");
    await until(() => platform.lambda.processes("Authorization").length === 0, "the processes are gone");
    expect(await alive()).toBe(200);
    expect(before).not.toContain(platform.lambda.processes("Authorization")[0]?.pid);
  });

  it("has metrics of each request in the function's log, which the dashboard reads", async () => {
    await fetch(`${platform.baseUrl}/elements`).then((answer) => answer.arrayBuffer());
    const isThere = () =>
      platform.lambda.metrics("Authorization").some((each) => each.Requests === 1 && each.status === 200);
    await until(isThere, "the metric");
  });
});

describe("the queue and the schedule", () => {
  it("start the sweep and the worker, and become idle again", async () => {
    const result = await platform.sweep();
    expect(result).toMatchObject({ ok: true });
    await platform.settled();
    expect(platform.lambda.processes("RefreshSweep")).toHaveLength(1);
  });
});

describe("the start and the end", () => {
  it("are quick", async () => {
    const begun = performance.now();
    const other = await startTestPlatform();
    const started = performance.now() - begun;
    await fetch(`${other.baseUrl}/elements`).then((answer) => answer.arrayBuffer());
    const folder = other.dataFolder;
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining(["platform.json", "platform.pid", "demo.json"]),
    );
    const ending = performance.now();
    await other.close();
    expect(performance.now() - ending).toBeLessThan(2000);
    // Allows for a busy machine; alone it takes half a second.
    expect(started).toBeLessThan(15_000);
    await expect(fetch(other.url)).rejects.toThrow();
  });
});
