import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { newTraceId } from "../lambda/function-pool.ts";
import { EventTooLarge, FunctionThrottled } from "../lambda/invocation.ts";
import type { LambdaService } from "../lambda/lambda-service.ts";
import type { ApiModel } from "../template/api-model.ts";
import { GatewayError, gatewayAnswer, type RequestIds } from "./gateway-response.ts";
import { findHeader, requestHeaders, responseHeaders, setHeader } from "./header-rules.ts";
import { type IntegrationAnswer, integrationAnswer } from "./integration-answer.ts";
import { matchRoute } from "./match-route.ts";
import { proxyEvent, type ReceivedRequest } from "./proxy-event.ts";
import { seeAnswer } from "./seen-answers.ts";
import { throttle } from "./throttle.ts";

// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const maxBodyBytes = 10 * 1024 * 1024;
const maxHeaderBytes = 10_240;
/**
 * Idle timeout of a regional API's stream:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
 * The page does not say when the time starts. As seen, a function that has not written anything yet is
 * idle, too:
 * https://qiita.com/YasuhiroKawano/items/beb3afd40f26b2dfb698
 */
const IDLE_TIMEOUT_MS = 300_000;
const methods = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

export interface ApiGatewayOptions {
  readonly api: ApiModel;
  readonly lambda: Pick<LambdaService, "invoke">;
  /** Host headers that the API accepts; it refuses all others. */
  readonly hosts: readonly string[];
  readonly log?: (line: string) => void;
  /** Milliseconds that a stream may be idle; for tests. */
  readonly idleTimeoutMs?: number;
}

/** The regional REST API of the stacks, without its bandwidth limit (2 MB/s after the first 6 MB). */
export function apiGateway(
  options: ApiGatewayOptions,
): (message: IncomingMessage, response: ServerResponse) => void {
  const { api, lambda, log, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  const mayPass = api.throttle === undefined ? () => true : throttle(api.throttle);

  async function serve(message: IncomingMessage, response: ServerResponse, ids: RequestIds): Promise<void> {
    const request = await receive(message, ids);
    const route = matchRoute(api.root, request.path, request.method);
    if (route === undefined) throw unmatched(request);
    if (!mayPass()) throw new GatewayError("THROTTLED");
    const { functionName, mode, timeoutMs } = route.method;
    const idle = idleLimit(idleTimeoutMs);
    const end = AbortSignal.any([AbortSignal.timeout(timeoutMs), idle.signal]);
    const traceId = findHeader(request.headers, "x-amzn-trace-id") ?? newTraceId();
    const event = proxyEvent(api, request, route);
    try {
      const invoked = lambda.invoke(functionName, event, { signal: end, traceId });
      const answered = await invoked.then((answer) => within(integrationAnswer(answer, mode), end));
      await send(answered, {
        message,
        response,
        ...ids,
        end,
        onBytes: idle.refresh,
      });
    } catch (error) {
      const gatewayError = toGatewayError(error, end);
      log?.(`${request.method} ${route.resource.path}: ${gatewayError.type}: ${why(error)}`);
      throw gatewayError;
    } finally {
      idle.clear();
    }
  }

  /** @throws {GatewayError} the request is refused before any integration */
  async function receive(message: IncomingMessage, ids: RequestIds): Promise<ReceivedRequest> {
    const [target = "", query = ""] = (message.url ?? "").split(/\?(.*)/s);
    const headers = requestHeaders(message.rawHeaders);
    const host = findHeader(headers, "host") ?? "";
    const prefix = `/${api.stage}`;
    // A host or stage that is not the API's gets a 403 (the body is a guess).
    if (!options.hosts.includes(host) || !`${target}/`.startsWith(`${prefix}/`))
      throw new GatewayError("ACCESS_DENIED");
    // "must be URL-encoded": https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
    if (/[|{}]/.test(query)) throw new GatewayError("BAD_REQUEST_PARAMETERS");
    const body = await readBody(message);
    const forwarded = findHeader(headers, "x-forwarded-for");
    const sourceIp = message.socket.remoteAddress ?? "";
    setHeader(headers, "X-Forwarded-For", forwarded === undefined ? sourceIp : `${forwarded}, ${sourceIp}`);
    setHeader(headers, "X-Forwarded-Port", host.split(":")[1] ?? "80");
    // On AWS this is always https.
    setHeader(headers, "X-Forwarded-Proto", "http");
    const traceId = findHeader(headers, "x-amzn-trace-id");
    if (traceId === undefined) setHeader(headers, "X-Amzn-Trace-Id", newTraceId());
    // This header replaces any method (as many have seen; no page says it).
    const override = findHeader(headers, "x-http-method-override")?.toUpperCase() ?? "";
    return {
      message,
      method: methods.includes(override) ? override : (message.method ?? "GET"),
      path: target.slice(prefix.length) || "/",
      query,
      headers,
      body,
      ...ids,
      receivedAt: new Date(),
    };
  }

  return (message, response) => {
    const ids: RequestIds = {
      requestId: randomUUID(),
      extendedRequestId: randomBytes(11).toString("base64"),
    };
    // The error of a client that has disconnected needs no log line.
    response.on("error", () => {});
    serve(message, response, ids).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return response.destroy();
      if (error instanceof BodyTooLarge) return refuseBody(message, response);
      const known = error instanceof GatewayError ? error : new GatewayError("API_CONFIGURATION_ERROR");
      if (known !== error) log?.(`API Gateway: ${why(error)}`);
      const { status, headers, body } = gatewayAnswer(api, known, ids);
      const length = String(Buffer.byteLength(body));
      const seen = seeAnswer(message, status, headers);
      seen?.add(Buffer.from(body));
      seen?.end();
      response.writeHead(
        status,
        [...headers, ["x-amzn-RequestId", ids.requestId], ["Content-Length", length]].flat(),
      );
      response.end(body);
    });
  };
}

class BodyTooLarge extends Error {}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const names = message.rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  // Node answers 431 when the headers are far longer. No page says AWS's status; here it is 400.
  if (names > maxHeaderBytes) throw new GatewayError("BAD_REQUEST_PARAMETERS");
  if (Number(message.headers["content-length"] ?? 0) > maxBodyBytes) throw new BodyTooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** For a body above 10 MB API Gateway gives its own answer, which no gateway response changes. */
function refuseBody(message: IncomingMessage, response: ServerResponse): void {
  const body = '{"message":"Request Entity Too Large"}';
  response.writeHead(413, { "Content-Type": "application/json", "Content-Length": body.length });
  response.write(body);
  // The rest of the body is read and dropped; otherwise the client would not see the answer, but a broken
  // connection.
  const end = () => {
    clearTimeout(patience);
    response.end();
  };
  const patience = setTimeout(end, 10_000);
  message.once("end", end).once("close", end).resume();
}

/**
 * Without a matching method API Gateway expects its own signature, and quotes the header that it found in
 * its answer.
 */
function unmatched(request: ReceivedRequest): GatewayError {
  const authorization = findHeader(request.headers, "authorization");
  if (authorization === undefined) return new GatewayError("MISSING_AUTHENTICATION_TOKEN");
  return new GatewayError(
    "INVALID_SIGNATURE",
    `Invalid key=value pair (missing equal-sign) in Authorization header: '${authorization}'.`,
  );
}

function toGatewayError(error: unknown, end: AbortSignal): GatewayError {
  if (error instanceof GatewayError) return error;
  // A guess: an idle stream ends with the same 504 when its head has not arrived.
  if (end.aborted) return new GatewayError("INTEGRATION_TIMEOUT");
  // Refusals by Lambda. Status and type are a guess: only Lambda's own 413 and 429 are documented.
  if (error instanceof EventTooLarge) return new GatewayError("REQUEST_TOO_LARGE");
  if (error instanceof FunctionThrottled) return new GatewayError("API_CONFIGURATION_ERROR");
  return new GatewayError("INTEGRATION_FAILURE");
}

function why(error: unknown): string {
  const reason = error instanceof GatewayError && error.cause !== undefined ? error.cause : error;
  return reason instanceof Error ? reason.message : String(reason);
}

interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly extendedRequestId: string;
  /** Aborted at the integration's timeout, or after too long a time without a byte. */
  readonly end: AbortSignal;
  readonly onBytes: () => void;
}

/** Aborts its signal when `refresh` is not called for `ms` milliseconds. */
function idleLimit(ms: number): { signal: AbortSignal; refresh: () => void; clear: () => void } {
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(new Error("no byte arrived for too long")), ms);
  return { signal: idle.signal, refresh: () => timer.refresh(), clear: () => clearTimeout(timer) };
}

/**
 * Passes the answer on as it arrives, at the client's pace. A client that disconnects does not stop the
 * function: its answer is read to the end. (No page says how fast AWS then reads.)
 */
async function send(answer: IntegrationAnswer, exchange: Exchange): Promise<void> {
  const { message, response, end, onBytes } = exchange;
  const headers = responseHeaders(answer.headers);
  const has = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  if (has("content-type") === undefined) headers.push(["Content-Type", "application/json"]);
  headers.push(["x-amzn-RequestId", exchange.requestId], ["x-amz-apigw-id", exchange.extendedRequestId]);
  const hasBody = message.method !== "HEAD" && answer.status !== 204 && answer.status !== 304;
  const declared = has("content-length");
  let left = declared === undefined ? Number.POSITIVE_INFINITY : Number(declared);
  const seen = seeAnswer(message, answer.status, headers);
  try {
    onBytes();
    response.writeHead(answer.status, headers.flat());
    response.flushHeaders();
    for (;;) {
      const { done, value } = await within(answer.body.next(), end);
      if (done) break;
      onBytes();
      if (!hasBody || response.destroyed) continue;
      left -= value.length;
      if (left < 0) throw new Error("the body is longer than its Content-Length");
      seen?.add(value);
      if (!response.write(value) && !response.destroyed) await within(drained(response), end);
    }
    // The client must see that the answer is cut.
    if (hasBody && declared !== undefined && left > 0)
      throw new Error("the body is shorter than its Content-Length");
    response.end();
    seen?.end();
  } catch (error) {
    void answer.body.return?.().catch(() => {});
    throw error;
  }
}

/** Resolves when the client has taken all that was written, or has disconnected. */
async function drained(response: ServerResponse): Promise<void> {
  const enough = new AbortController();
  const { signal } = enough;
  try {
    await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]);
  } finally {
    enough.abort();
  }
}

async function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as Error);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
