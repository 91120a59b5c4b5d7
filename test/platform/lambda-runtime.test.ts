import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FunctionAnswer, FunctionFailure, FunctionThrottled } from "../../local/lambda/invocation.ts";
import { isAlive, lambdaOf, readStream, type TestLambda, until } from "./functions.ts";

const streaming = (body: string) => `
export const handler = awslambda.streamifyResponse(async (event, stream, context) => { ${body} });
const from = (stream, prelude) => awslambda.HttpResponseStream.from(stream, prelude);`;

const gate = `let open; const opened = new Promise((resolve) => { open = resolve; });`;

let lambda: TestLambda;
const functions = {
  Echo: {
    code: `export const handler = async (event, context) =>
      ({ event, pid: process.pid, requestId: context.awsRequestId, arn: context.invokedFunctionArn,
         left: context.getRemainingTimeInMillis(), name: context.functionName });`,
  },
  Environment: {
    code: "export const handler = async () => process.env;",
    environment: { TABLE: "things" },
    memoryMegabytes: 512,
  },
  Heap: {
    code: `import v8 from "node:v8"; export const handler = async () => v8.getHeapStatistics().heap_size_limit / 2 ** 20;`,
  },
  Slow: {
    code: "export const handler = async ({ ms }) => { await new Promise((r) => setTimeout(r, ms)); return process.pid; };",
  },
  Throws: { code: `export const handler = async () => { throw new TypeError("on purpose"); };` },
  Hangs: {
    code: "export const handler = () => new Promise(() => setInterval(() => {}, 1000));",
    timeoutSeconds: 1,
  },
  Exits: { code: "export const handler = async () => process.exit(3);" },
  BadModule: { code: `throw new Error("cannot start"); export const handler = 1;` },
  Leaks: { code: `import "hono"; export const handler = async () => "found the project's node_modules";` },
  Callback: { code: "export const handler = async (event, context, callback) => 1;" },
  Nothing: { code: "export const other = 1;" },
  Logs: {
    code: `export const handler = async () => {
      console.log("two\\nlines"); console.error("bad", { a: 1 });
      console.log(JSON.stringify({ _aws: { CloudWatchMetrics: [] }, Requests: 1 })); process.stdout.write("raw\\n"); };`,
  },
  Stream: {
    code: streaming(`const out = from(stream, { statusCode: 201, headers: { a: "b" } });
      out.write("first "); await opened; out.write("last"); out.end();`).concat(
      gate,
      `import http from "node:http";
       http.createServer((q, s) => { open(); s.end(); }).listen(0, "127.0.0.1", function () { console.log("PORT", this.address().port); });`,
    ),
  },
  EndsOnly: { code: streaming(`const out = from(stream, { statusCode: 204 }); out.end();`) },
  EndsWithText: { code: streaming(`const out = from(stream, { statusCode: 200 }); out.end("text");`) },
  Empty: { code: streaming(`const out = from(stream, { statusCode: 204 }); out.write(""); out.end();`) },
  NeverEnds: { code: streaming(`from(stream, { statusCode: 200 }).write("x");`), timeoutSeconds: 1 },
  Breaks: {
    code: streaming(
      `from(stream, { statusCode: 200 }).write("half"); throw new RangeError("in the middle");`,
    ),
  },
  Wrapped: {
    code: `const inner = awslambda.streamifyResponse(async (event, stream) => { stream.write("x"); stream.end(); });
      export const handler = async (event, context) => inner(event, context).catch((error) => error.message);`,
  },
  AnswersFirst: {
    code: streaming(`const out = from(stream, { statusCode: 200 }); out.write("done"); out.end();
      await new Promise((r) => setTimeout(r, 300)); console.log("after the answer");`),
  },
  NotAsync: {
    code: `export const handler = awslambda.streamifyResponse((event, stream) => { stream.write("x"); stream.end(); });`,
  },
  Pipeline: {
    code: `import { pipeline } from "node:stream/promises"; import { Readable } from "node:stream";
      export const handler = awslambda.streamifyResponse(async (event, stream) => {
        const out = awslambda.HttpResponseStream.from(stream, { statusCode: 200 });
        async function* source() { yield "half"; throw new Error("the source failed"); }
        await pipeline(Readable.from(source()), out).catch((error) => console.log("caught", error.message));
        await new Promise((r) => setTimeout(r, 1000));
        console.log("survived"); });`,
  },
  Rejects: {
    code: `export const handler = async () => { Promise.reject(new Error("nobody looks")); await new Promise((r) => setTimeout(r, 1000)); };`,
  },
  TwoPreludes: {
    code: streaming(`const out = from(stream, { statusCode: 200 }); out.write("x");
      try { from(stream, { statusCode: 500 }); } catch (error) { out.write(error.name); } out.end();`),
  },
  Flood: {
    code: `import { once } from "node:events";`.concat(
      streaming(`const out = from(stream, { statusCode: 200 }); const piece = Buffer.alloc(65536, 1); let sent = 0;
        while (sent < event.bytes) { sent += piece.length; if (!out.write(piece)) await once(out, "drain");
          if (sent % (1024 * 1024) === 0) console.log("sent", sent / (1024 * 1024), process.memoryUsage().rss / 2 ** 20); }
        out.end();`),
    ),
  },
};

beforeAll(async () => {
  lambda = await lambdaOf(functions);
});
afterAll(() => lambda.close());

const failure = async (name: string, event: unknown = {}): Promise<FunctionFailure> => {
  const error: unknown = await lambda.invoke(name, event).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof FunctionFailure) return error;
  throw new Error(`a FunctionFailure was expected, not ${String(error)}`);
};

describe("a function's process", () => {
  it("gets an event with its context, and the next event after its answer", async () => {
    const first = (await lambda.invokeJson("Echo", { a: 1 })) as Record<string, unknown>;
    expect(first).toMatchObject({
      event: { a: 1 },
      name: "test-Echo",
      arn: "arn:aws:lambda:eu-west-1:000000000000:function:test-Echo",
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(first.left).toBeGreaterThan(15_000);
    await until(() => lambda.isIdle(), "idle");
    const second = (await lambda.invokeJson("Echo")) as Record<string, unknown>;
    expect(second.pid).toBe(first.pid);
    expect(second.requestId).not.toBe(first.requestId);
    expect(first.pid).not.toBe(process.pid);
  });

  it("has Lambda's environment and nothing of the platform's own", async () => {
    process.env.SECRET_OF_THE_PLATFORM = "must not be seen";
    const env = (await lambda.invokeJson("Environment")) as Record<string, string>;
    delete process.env.SECRET_OF_THE_PLATFORM;
    expect(env).toMatchObject({
      TABLE: "things",
      AWS_ACCESS_KEY_ID: "ASIAEnvironment",
      AWS_SECRET_ACCESS_KEY: "secret of Environment",
      AWS_REGION: "eu-west-1",
      AWS_ENDPOINT_URL: "http://127.0.0.1:1",
      AWS_LAMBDA_FUNCTION_NAME: "test-Environment",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "512",
      TZ: ":UTC",
    });
    const allowed = /^(TABLE|AWS_|LAMBDA_|_HANDLER$|_X_AMZN_TRACE_ID$|LANG$|PATH$|TZ$|HOME$)/;
    expect(Object.keys(env).filter((name) => !allowed.test(name))).toEqual([]);
  });

  it("has a heap limit that fits the function's memory", async () => {
    const megabytes = (await lambda.invokeJson("Heap")) as number;
    // Nine tenths of 256 MB for old objects, plus V8's young generation; Node's own default is thousands of MB.
    expect(megabytes).toBeGreaterThan(230);
    expect(megabytes).toBeLessThan(500);
  });

  it("handles one event at a time: two events need two processes", async () => {
    const pids = await Promise.all([
      lambda.invokeJson("Slow", { ms: 2_000 }),
      lambda.invokeJson("Slow", { ms: 2_000 }),
    ]);
    expect(new Set(pids).size).toBe(2);
    expect(lambda.processes("Slow").map(({ pid }) => pid)).toEqual(expect.arrayContaining(pids));
  });

  it("is one of at most ten; more callers wait, and too many callers are refused", async () => {
    const calls = Array.from({ length: 120 }, () =>
      lambda.invokeJson("Slow", { ms: 20 }).then(
        (pid) => pid as number,
        (error: unknown) => error,
      ),
    );
    const results = await Promise.all(calls);
    const pids = new Set(results.filter((result) => typeof result === "number"));
    expect(pids.size).toBeLessThanOrEqual(10);
    const refused = results.filter((result) => typeof result !== "number");
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) expect(error).toBeInstanceOf(FunctionThrottled);
    expect(results.length - refused.length).toBeGreaterThanOrEqual(100);
  });

  it("reports an error that the handler threw, and is used again", async () => {
    const error = await failure("Throws");
    expect(error).toMatchObject({ errorType: "TypeError", message: "on purpose" });
    const [{ pid } = { pid: 0 }] = lambda.processes("Throws");
    await failure("Throws");
    expect(lambda.processes("Throws").map((each) => each.pid)).toEqual([pid]);
  });

  it("is killed at the function's timeout; the next event gets a new process", async () => {
    const error = await failure("Hangs");
    expect(error.errorType).toBe("Sandbox.Timedout");
    expect(error.message).toMatch(/Task timed out after 1\.00 seconds/);
    await until(() => lambda.processes("Hangs").length === 0, "the process is gone");
    expect(lambda.logs("Hangs").join()).toContain("Task timed out");
    expect((await failure("Hangs")).errorType).toBe("Sandbox.Timedout");
  });

  it("fails its event when it exits during the event", async () => {
    const error = await failure("Exits");
    expect(error).toMatchObject({ errorType: "Runtime.ExitError" });
    expect(error.message).toContain("exit status 3");
  });

  it("exits at an unhandled rejection", async () => {
    const error = await failure("Rejects");
    expect(error.message).toContain("exit status 1");
    expect(lambda.logs("Rejects").join("\n")).toContain("nobody looks");
  });

  it.each([
    ["throws while it loads", "BadModule", "Error", "cannot start"],
    ["lacks a dependency in its bundle", "Leaks", "Error", "Cannot find package 'hono'"],
    ["declares a callback", "Callback", "Runtime.CallbackHandlerDeprecated", "callback-based"],
    ["has no such handler", "Nothing", "Runtime.HandlerNotFound", "index.handler"],
  ])("does not start when its module %s, and reports an error", async (_, name, errorType, message) => {
    const error = await failure(name);
    expect(error.errorType).toBe(errorType);
    expect(error.message).toContain(message);
    expect(lambda.processes(name)).toEqual([]);
  });

  it("refuses an event of more than 6 MB", async () => {
    await expect(lambda.invoke("Echo", { body: "x".repeat(6 * 1024 * 1024) })).rejects.toThrow(
      /smaller than 6291456 bytes/,
    );
  });

  it("keeps its log: one text for each event, with the metrics in it", async () => {
    await lambda.invokeJson("Logs");
    await until(() => lambda.logs("Logs").some((line) => line === "raw"), "the log");
    const lines = lambda.logs("Logs");
    expect(lines.find((line) => line.includes("two"))).toMatch(/^\S+Z\t[0-9a-f-]{36}\tINFO\ttwo\nlines$/);
    expect(lines.find((line) => line.includes("bad"))).toMatch(/\tERROR\tbad \{ a: 1 \}$/);
    expect(lambda.metrics("Logs")).toEqual([{ _aws: { CloudWatchMetrics: [] }, Requests: 1 }]);
  });
});

describe("a streaming handler", () => {
  const parts = async (answer: FunctionAnswer) => {
    const bytes = await readStream(answer);
    const end = bytes.indexOf(Buffer.alloc(8));
    return end < 0
      ? { prelude: undefined, body: bytes.toString() }
      : { prelude: JSON.parse(bytes.subarray(0, end).toString()), body: bytes.subarray(end + 8).toString() };
  };

  it("is read while it still writes", async () => {
    const answer = await lambda.invoke("Stream", {});
    if (answer.kind !== "streamed") throw new Error("the function does not stream");
    expect(answer.contentType).toBe("application/vnd.awslambda.http-integration-response");
    let text = "";
    while (!text.includes("first")) text += String((await answer.body.next()).value);
    expect(text).not.toContain("last");
    const port = /PORT (\d+)/.exec(lambda.logs("Stream").join("\n"))?.[1];
    await fetch(`http://127.0.0.1:${port}/`).then((opened) => opened.text());
    for await (const chunk of answer.body) text += chunk;
    expect(text).toBe(`{"statusCode":201,"headers":{"a":"b"}}${"\0".repeat(8)}first last`);
  });

  it("sends status and headers with a first write, also an empty one", async () => {
    expect(await parts(await lambda.invoke("Empty", {}))).toEqual({ prelude: { statusCode: 204 }, body: "" });
  });

  it("sends no status and no headers when it only ends the stream", async () => {
    expect(await parts(await lambda.invoke("EndsOnly", {}))).toEqual({ prelude: undefined, body: "" });
    expect(await parts(await lambda.invoke("EndsWithText", {}))).toEqual({
      prelude: undefined,
      body: "text",
    });
  });

  it("cannot change the status after a byte was written", async () => {
    const { prelude, body } = await parts(await lambda.invoke("TwoPreludes", {}));
    expect([prelude, body]).toEqual([{ statusCode: 200 }, "xRuntime.InvalidStreamingOperation"]);
  });

  it("runs into the timeout when it never ends the stream", async () => {
    const answer = await lambda.invoke("NeverEnds", {});
    await expect(readStream(answer)).rejects.toThrow(/ended in the middle/);
    expect(lambda.logs("NeverEnds").join()).toContain("Task timed out");
  });

  it("leaves a broken answer and its error when it throws after the first byte", async () => {
    const answer = await lambda.invoke("Breaks", {});
    const error: unknown = await readStream(answer).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ errorType: "RangeError", message: "in the middle" });
    expect(lambda.processes("Breaks")).toHaveLength(1);
  });

  it("ends its process when a pipeline's source fails, also if it caught the error", async () => {
    const call = lambda.invoke("Pipeline", {}).then(readStream);
    await expect(call).rejects.toMatchObject({ errorType: "Runtime.ExitError" });
    await until(() => lambda.processes("Pipeline").length === 0, "the process is gone");
    expect(lambda.logs("Pipeline").join()).toContain("caught the source failed");
    expect(lambda.logs("Pipeline").join()).not.toContain("survived");
  });

  it("works, with an error in the log, when it is not async", async () => {
    expect(String(await readStream(await lambda.invoke("NotAsync", {})))).toBe("x");
    await until(() => lambda.isIdle(), "idle");
    expect(lambda.logs("NotAsync").join()).toContain("does not support non-async handlers");
  });

  it("is treated as buffered inside a wrapper", async () => {
    const answer = await lambda.invoke("Wrapped", {});
    expect(answer).toMatchObject({ kind: "buffered" });
  });

  it("can continue after the answer; meanwhile its process gets no other event", async () => {
    const answer = await lambda.invoke("AnswersFirst", {});
    expect((await parts(answer)).body).toBe("done");
    expect(lambda.isIdle()).toBe(false);
    expect(lambda.logs("AnswersFirst").join()).not.toContain("after the answer");
    await until(() => lambda.isIdle(), "idle");
    expect(lambda.logs("AnswersFirst").join()).toContain("after the answer");
  });

  it("waits for a slow reader and keeps little in memory", async () => {
    const megabytes = 60;
    const answer = await lambda.invoke("Flood", { bytes: megabytes * 1024 * 1024 });
    if (answer.kind !== "streamed") throw new Error("the function does not stream");
    const sent = () => lambda.logs("Flood").filter((line) => line.includes("sent")).length;
    await answer.body.next();
    let [before, since] = [sent(), performance.now()];
    await until(() => {
      if (sent() !== before) [before, since] = [sent(), performance.now()];
      return performance.now() - since > 300;
    }, "the function stands still");
    expect(sent()).toBeLessThan(megabytes / 4);
    let bytes = 0;
    for await (const chunk of answer.body) bytes += chunk.length;
    expect(bytes).toBeGreaterThan((megabytes - 1) * 1024 * 1024);
    await until(() => sent() === megabytes, "all is sent");
    const resident = Number(lambda.logs("Flood").at(-1)?.split(" ").at(-1));
    expect(resident).toBeLessThan(250);
  });
});

describe("the end of the platform", () => {
  it("ends every process at once", async () => {
    const own = await lambdaOf({ Slow: functions.Slow });
    const call = own.invokeJson("Slow", { ms: 60_000 }).catch((error: unknown) => error);
    await until(() => own.processes("Slow").length === 1, "a process");
    const [{ pid } = { pid: 0 }] = own.processes("Slow");
    await own.close();
    expect(await call).toMatchObject({ errorType: "Runtime.ExitError" });
    await until(() => !isAlive(pid), "the process is gone", 2000);
  });

  it("also ends a function when the platform was killed and could send nothing", async () => {
    const file = path.join(import.meta.dirname, "functions.ts");
    const script = `import { lambdaOf } from ${JSON.stringify(file)};
      const lambda = await lambdaOf({ Echo: { code: "export const handler = async () => process.pid;" } });
      console.log(await lambda.invokeJson("Echo"));
      setInterval(() => {}, 1000);`;
    // The killed process cannot remove its temporary files; they are removed with this folder.
    const temporary = await mkdtemp(path.join(tmpdir(), "linkspan-killed-"));
    const parent = spawn(process.execPath, ["--input-type=module-typescript", "--eval", script], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface(parent.stdout), "line")) as [string];
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await until(() => !isAlive(pid), "the orphan is gone", 5000);
    await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
  });
});
