/**
 * Lambda's runtime interface client for Node.js, for the local platform's processes. It is bundled into one
 * file and stored beside the functions' copies, so that a function cannot load a module of this project by
 * mistake.
 *
 * The API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 * Handlers and streams: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html and
 * https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html; its special cases are those
 * of aws-lambda-ric 4.0.
 */
import { existsSync } from "node:fs";
import { Agent, type ClientRequest, type IncomingHttpHeaders, request } from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

type Handler = (...parameters: unknown[]) => unknown;
type ResponseStream = Record<string, unknown> & {
  setContentType(type: string): void;
  writableFinished: boolean;
  beforeFirstWrite?: (write: (chunk: string | Uint8Array) => void) => void;
};

/**
 * `host:port` as on AWS, or with a path: on the local platform the path is the secret that identifies this
 * process.
 */
const [, hostname = "", port = "", base = ""] =
  /^([^:/]+):(\d+)(\/.*)?$/.exec(process.env.AWS_LAMBDA_RUNTIME_API ?? "") ?? [];
const api = `${base}/2018-06-01/runtime`;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const streamingMark = Symbol.for("aws.lambda.runtime.handler.streaming");
const highWaterMark = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");
const integrationResponse = "application/vnd.awslambda.http-integration-response";
let requestId = "-";

/**
 * A wrong wall clock, if a test asks for it (PlatformOptions.clockOffsetMs): it shows that no decision
 * depends on the wall clock.
 */
const realNow = Date.now;
const clockOffsetMs = Number(process.env.LOCAL_CLOCK_OFFSET_MS ?? 0);
if (clockOffsetMs !== 0) {
  const now = (): number => realNow() + clockOffsetMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, parameters: unknown[]) =>
      Reflect.construct(target, parameters.length === 0 ? [now()] : parameters),
    get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
  });
}

/**
 * This process ends with the platform: when the platform ends, also by a kill, our standard input closes.
 */
process.stdin.on("end", () => process.exit(0)).on("error", () => process.exit(0));
process.stdin.resume();

/** Text logs: time, request, level and message; each event is one line, with `\r` in place of line ends. */
for (const [method, level] of Object.entries({
  trace: "TRACE",
  debug: "DEBUG",
  log: "INFO",
  info: "INFO",
  warn: "WARN",
  error: "ERROR",
})) {
  (console as unknown as Record<string, unknown>)[method] = (...parameters: unknown[]) => {
    const message = format(...parameters).replaceAll("\n", "\r");
    process.stdout.write(`${new Date().toISOString()}\t${requestId}\t${level}\t${message}\n`);
  };
}

(globalThis as Record<string, unknown>).awslambda = {
  /**
   * Marks the function itself: a wrapper around it has no mark, so it counts as a handler that does not
   * stream.
   */
  streamifyResponse(handler: Handler, options?: { highWaterMark?: number }): Handler {
    return Object.assign(handler, {
      [streamingMark]: "response",
      ...(options?.highWaterMark === undefined ? {} : { [highWaterMark]: options.highWaterMark }),
    });
  },
  HttpResponseStream: {
    /** Only the first `write` sends status and headers: neither `end()` nor `end(text)` sends them. */
    from(stream: ResponseStream, prelude: unknown): ResponseStream {
      stream.setContentType(integrationResponse);
      stream.beforeFirstWrite = (write) => {
        write(JSON.stringify(prelude));
        write(new Uint8Array(8));
      };
      return stream;
    },
  },
};

function errorShape(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: error.stack?.split("\n") ?? [],
  };
}

class RuntimeError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = `Runtime.${name}`;
  }
}

async function loadHandler(): Promise<Handler> {
  const [, moduleName = "", exportName = ""] = /^(.+?)\.([^.]+)$/.exec(process.env._HANDLER ?? "") ?? [];
  const base = path.resolve(process.env.LAMBDA_TASK_ROOT ?? "", moduleName);
  const file = ["", ".js", ".mjs", ".cjs"].map((extension) => base + extension).find(existsSync);
  if (file === undefined) throw new RuntimeError("ImportModuleError", `Cannot find module '${moduleName}'`);
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown> & {
    default?: Record<string, unknown>;
  };
  const handler = module[exportName] ?? module.default?.[exportName];
  if (typeof handler !== "function")
    throw new RuntimeError("HandlerNotFound", `${process.env._HANDLER} is undefined or not a function`);
  // The Node.js 24 runtime has no callback handlers:
  // https://aws.amazon.com/blogs/compute/node-js-24-runtime-now-available-in-aws-lambda/
  if (handler.length >= 3 && !(streamingMark in handler))
    throw new RuntimeError(
      "CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24.",
    );
  return handler as Handler;
}

function call(
  method: string,
  route: string,
  body?: string,
  more: Record<string, string> = {},
): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? more : { "Content-Type": "application/json", ...more };
    request({ hostname, port, method, path: api + route, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ headers: response.headers, body: Buffer.concat(chunks).toString("utf8") }),
      );
      response.on("error", reject);
    })
      .on("error", reject)
      .end(body);
  });
}

function postError(route: string, error: unknown): Promise<unknown> {
  const shape = errorShape(error);
  return call("POST", route, JSON.stringify(shape), {
    "Lambda-Runtime-Function-Error-Type": shape.errorType,
  });
}

function contextOf(headers: IncomingHttpHeaders): Record<string, unknown> {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    getRemainingTimeInMillis: () => deadline - realNow(),
  };
}

async function answerAtOnce(handler: Handler, event: unknown, context: unknown): Promise<void> {
  let body: string;
  try {
    body = JSON.stringify((await handler(event, context)) ?? null);
  } catch (error) {
    console.error("Invoke Error", JSON.stringify(errorShape(error)));
    await postError(`/invocation/${requestId}/error`, error);
    return;
  }
  await call("POST", `/invocation/${requestId}/response`, body);
}

async function answerStreaming(handler: Handler, event: unknown, context: unknown): Promise<void> {
  const { stream, sent, fail } = responseStream((handler as never)[highWaterMark]);
  try {
    const result = handler(event, stream, context) as Promise<unknown> | undefined;
    if (typeof result?.then !== "function") throw new Error("Streaming does not support non-async handlers.");
    if ((await result) !== undefined) console.warn("Streaming handlers ignore return values.");
    // If the handler never ends the stream, this waits until Lambda ends the process.
    await sent;
    if (!stream.writableFinished) throw new Error("Response stream is not finished.");
  } catch (error) {
    console.error("Invoke Error", JSON.stringify(errorShape(error)));
    await fail(error);
  }
}

/**
 * The members of the stream that handlers get. It is not a `Writable`: it has no `closed` and no `errored`,
 * and `instanceof` is false.
 */
const methods =
  "cork destroy end uncork write addListener on once prependListener prependOnceListener off removeListener removeAllListeners setMaxListeners getMaxListeners listeners rawListeners listenerCount eventNames emit";
const readable =
  "writableFinished writableObjectMode writableEnded writableNeedDrain writableHighWaterMark writableCorked writableLength writable destroyed";

function responseStream(mark: number | undefined): {
  stream: ResponseStream;
  sent: Promise<void>;
  fail(error: unknown): Promise<void>;
} {
  const { promise: sent, resolve, reject } = Promise.withResolvers<void>();
  // No code catches a rejection of `sent` while the handler runs: a stream that is destroyed then ends the
  // process, as on AWS.
  const connection: ClientRequest = request(
    {
      hostname,
      port,
      method: "POST",
      path: `${api}/invocation/${requestId}/response`,
      // A separate connection: the request for the next event uses the other one.
      agent: new Agent({ keepAlive: false, ...(mark === undefined ? {} : { highWaterMark: mark }) }),
      headers: {
        "Content-Type": "application/octet-stream",
        "Transfer-Encoding": "chunked",
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
      },
    },
    (response) => response.on("end", resolve).on("error", reject).resume(),
  );
  connection.on("error", reject);

  const stream = {} as ResponseStream;
  for (const name of methods.split(" "))
    stream[name] = (connection as unknown as Record<string, Handler>)[name]?.bind(connection);
  for (const name of readable.split(" "))
    Object.defineProperty(stream, name, {
      get: () => (connection as unknown as Record<string, unknown>)[name],
    });
  let written = false;
  stream.setContentType = (type) => {
    if (written) throw new RuntimeError("InvalidStreamingOperation", "Cannot set content-type, too late.");
    connection.setHeader("Content-Type", type);
  };
  const write = connection.write.bind(connection) as (chunk: unknown, ...rest: unknown[]) => boolean;
  stream.write = (chunk: unknown, ...rest: unknown[]) => {
    if (!written) stream.beforeFirstWrite?.(write);
    written = true;
    const isBytes = typeof chunk === "string" || chunk instanceof Uint8Array;
    return write(isBytes ? chunk : JSON.stringify(chunk), ...rest);
  };
  return {
    stream,
    sent,
    async fail(error) {
      if (connection.destroyed) return;
      // The stream has ended, so the written bytes are the answer. It must arrive before the request for
      // the next event.
      if (connection.writableEnded) return sent.catch(() => {});
      const shape = errorShape(error);
      connection.addTrailers({
        "Lambda-Runtime-Function-Error-Type": shape.errorType,
        "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(shape)).toString("base64"),
      });
      connection.end();
      await sent.catch(() => {});
    },
  };
}

async function run(): Promise<never> {
  let handler: Handler;
  try {
    handler = await loadHandler();
  } catch (error) {
    console.error("Init Error", JSON.stringify(errorShape(error)));
    await postError("/init/error", error);
    process.exit(1);
  }
  for (;;) {
    const next = await call("GET", "/invocation/next");
    requestId = String(next.headers["lambda-runtime-aws-request-id"]);
    process.env._X_AMZN_TRACE_ID = String(next.headers["lambda-runtime-trace-id"]);
    const event: unknown = JSON.parse(next.body);
    const context = contextOf(next.headers);
    if (streamingMark in handler) await answerStreaming(handler, event, context);
    else await answerAtOnce(handler, event, context);
  }
}

// The platform has ended, so no error can be reported to it.
run().catch(() => process.exit(1));
