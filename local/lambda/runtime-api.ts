import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type FunctionAnswer, FunctionFailure, type Invocation } from "./invocation.ts";

/** Lambda's limit for an answer that is not streamed: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const maxBufferedBytes = 6 * 1024 * 1024;
/**
 * Lambda's limit for a streamed answer:
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
 */
const maxStreamedBytes = 200 * 1024 * 1024;
const version = "/2018-06-01/runtime";
const SECRET_BYTES = 24;

export interface RuntimeApiEvents {
  /** The process asks for an event: it has started, or has ended all work of the event before. */
  idle(): void;
  initFailed(failure: FunctionFailure): void;
}

/** The Runtime API for one process: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
export interface RuntimeApi {
  /**
   * `127.0.0.1:<port>/<secret>`, for AWS_LAMBDA_RUNTIME_API: clients put `http://` before it and the API's
   * path after it. Each process has its own secret, so that no other user of this machine gets its events,
   * which hold credentials.
   */
  readonly address: string;
  /**
   * Gives an event to the process, which must be idle.
   * @throws {Error} the process does not wait for an event
   */
  give(invocation: Invocation, functionArn: string, deadlineMs: number): void;
  close(): void;
}

export async function startRuntimeApi(events: RuntimeApiEvents): Promise<RuntimeApi> {
  let waiting: ServerResponse | undefined;
  let current: Invocation | undefined;
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  let host = "";
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
    if (!isOwnProcess(request)) {
      request.resume();
      refuse(response, 403, "Forbidden", "only one process may use this address");
      return;
    }
    serve(request, response).catch(() => request.destroy());
  });

  /**
   * The request has the secret and our Host header. The Host is checked because another host name may lead
   * here, too (DNS rebinding).
   */
  function isOwnProcess(request: IncomingMessage): boolean {
    const given = Buffer.from((request.url ?? "").split("/")[1] ?? "");
    const wanted = Buffer.from(secret);
    return request.headers.host === host && given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = `${request.method} ${request.url?.slice(secret.length + 1)}`;
    if (route === `GET ${version}/invocation/next`) {
      // Only one request may wait: a process with two waiting requests would get two events.
      if (waiting !== undefined) return refuse(response, 400, "InvalidRequest", "another request waits");
      waiting = response;
      response.once("close", () => {
        if (waiting === response) waiting = undefined;
      });
      current = undefined;
      return events.idle();
    }
    if (route === `POST ${version}/init/error`) {
      const failure = failureOf(await readAll(request, maxBufferedBytes));
      accepted(response);
      return events.initFailed(failure);
    }
    const [, requestId, what] =
      /^POST \/2018-06-01\/runtime\/invocation\/([\w-]+)\/(response|error)$/.exec(route) ?? [];
    const invocation = current;
    if (invocation === undefined || invocation.requestId !== requestId) {
      request.resume();
      return refuse(response, 400, "InvalidRequestID", "Invalid request ID");
    }
    if (what === "error") invocation.fail(failureOf(await readAll(request, maxBufferedBytes)));
    else if (request.headers["lambda-runtime-function-response-mode"] === "streaming") {
      const { promise, resolve } = Promise.withResolvers<void>();
      invocation.answer(streamedAnswer(request, resolve));
      await promise;
    } else await answerBuffered(request, invocation);
    accepted(response);
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  host = `127.0.0.1:${port}`;
  return {
    address: `${host}/${secret}`,
    give(invocation, functionArn, deadlineMs) {
      const response = waiting;
      if (response === undefined) throw new Error("the process does not wait for an event");
      waiting = undefined;
      current = invocation;
      response.writeHead(200, {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": invocation.requestId,
        "Lambda-Runtime-Deadline-Ms": String(deadlineMs),
        "Lambda-Runtime-Invoked-Function-Arn": functionArn,
        "Lambda-Runtime-Trace-Id": invocation.traceId,
      });
      response.end(invocation.payload);
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function refuse(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ errorType, errorMessage }));
}

function accepted(response: ServerResponse): void {
  response.writeHead(202, { "Content-Type": "application/json" });
  response.end('{"status":"OK"}');
}

async function answerBuffered(request: IncomingMessage, invocation: Invocation): Promise<void> {
  try {
    invocation.answer({ kind: "buffered", payload: await readAll(request, maxBufferedBytes) });
  } catch (error) {
    if (!(error instanceof FunctionFailure)) throw error;
    request.resume();
    invocation.fail(error);
  }
}

/**
 * @param ended called when the body was read or dropped; the function then gets the answer to its request
 */
function streamedAnswer(request: IncomingMessage, ended: () => void): FunctionAnswer {
  async function* body(): AsyncGenerator<Buffer, void, undefined> {
    let bytes = 0;
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxStreamedBytes)
          throw new FunctionFailure(
            "Function.ResponseSizeTooLarge",
            `Response payload size exceeded maximum allowed payload size (${maxStreamedBytes} bytes).`,
          );
        yield chunk;
      }
      const type = request.trailers["lambda-runtime-function-error-type"];
      if (type !== undefined) {
        const details = request.trailers["lambda-runtime-function-error-body"] ?? "";
        throw failureOf(Buffer.from(details, "base64"));
      }
    } catch (error) {
      if (error instanceof FunctionFailure) throw error;
      throw new FunctionFailure("Runtime.ExitError", "the process ended in the middle of its answer");
    } finally {
      // The rest of the body is dropped, so that the function can finish.
      request.resume();
      ended();
    }
  }
  const reading = body();
  let begun = false;
  return {
    kind: "streamed",
    contentType: request.headers["content-type"] ?? "",
    body: {
      next() {
        begun = true;
        return reading.next();
      },
      // A generator that has not started runs no `finally`.
      async return() {
        if (!begun) {
          request.resume();
          ended();
        }
        await reading.return();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    },
  };
}

async function readAll(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit)
      throw new FunctionFailure(
        "Function.ResponseSizeTooLarge",
        `Response payload size exceeded maximum allowed payload size (${limit} bytes).`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function failureOf(body: Buffer): FunctionFailure {
  try {
    const { errorType, errorMessage } = JSON.parse(body.toString("utf8")) as Record<string, unknown>;
    return new FunctionFailure(String(errorType), String(errorMessage));
  } catch {
    return new FunctionFailure("Runtime.Unknown", "the function failed without a readable error");
  }
}
