import { Readable } from "node:stream";
import middy from "@middy/core";
import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { requestOutcome } from "../aws/outcome-metrics.ts";
import { LinkspanError } from "../core/errors.ts";
import { settleAll } from "../core/settle-all.ts";
import type { TenantUse } from "../core/tenants/tenant-use.ts";
import { answerError } from "./answer-errors.ts";
import { sendableHeaders } from "./header-values.ts";
import { readRequest } from "./read-request.ts";
import type { HttpRequest, HttpResponse } from "./request.ts";
import { type Route, routeTable } from "./route-table.ts";
import { type StreamedResponse, streamingMode } from "./streaming-mode.ts";

/** Characters of a User-Agent header that go into the log. */
const MAX_USER_AGENT = 256;

export interface HttpFunctionOptions {
  /** Name of the function in metrics and logs, for example `documents`. */
  readonly name: string;
  readonly routes: readonly Route[];
  /** Adds headers to every answer of this function, errors included. */
  readonly headers?: (request: HttpRequest) => Record<string, string>;
  /** The bound on what each organization may use; where `undefined` is answered there is none. */
  readonly tenantUse?: () => TenantUse | undefined;
  /** Looked at before the route table: answers what is no call of the API, such as a browser's preflight (cors.ts). */
  readonly preflight?: (request: HttpRequest) => HttpResponse | undefined;
}

/**
 * A Lambda handler from a route table: parses the event, finds the route, answers in Linkspan's shape, streams.
 * Must be the module's exported `handler` itself: any wrapper would lose the streaming mark.
 */
export function httpFunction(options: HttpFunctionOptions): unknown {
  const find = routeTable(options.routes);

  async function call(request: HttpRequest): Promise<HttpResponse> {
    const { route, params } = find(request.method, request.path);
    Object.assign(request, { params });
    request.facts.route = route.name;
    return await route.handle(request);
  }

  return middy({ executionMode: streamingMode, timeoutEarlyInMillis: 0 }).handler((async (
    event: APIGatewayProxyEvent,
    context: Context,
  ) => {
    const startedAt = performance.now();
    const pending: Promise<unknown>[] = [];
    const request = readRequest(event, context, pending);
    const tenantUse = options.tenantUse?.();
    if (tenantUse !== undefined) Object.assign(request, { tenantUse });
    let response: HttpResponse;
    try {
      if (request.invalid) throw request.invalid;
      response = options.preflight?.(request) ?? (await call(request));
    } catch (error) {
      response = answerError(error, request);
      if (!(error instanceof LinkspanError)) logUnexpected(error, request);
    }
    let extra: Record<string, string> = {};
    try {
      extra = options.headers?.(request) ?? {};
    } catch (error) {
      logUnexpected(error, request);
    }
    const headersAtMs = performance.now() - startedAt;
    return {
      statusCode: response.status,
      headers: sendableHeaders({
        ...bodyHeaders(response),
        ...extra,
        ...response.headers,
        "Elements-Request-Id": request.requestId,
      }),
      ...(request.method === "HEAD" ? discardBody(response) : withBody(response)),
      onEnd: () => {
        response.onEnd?.();
        requestOutcome({
          function: options.name,
          route: request.facts.route ?? "unknown",
          status: response.status,
          latencyMs: headersAtMs,
          durationMs: performance.now() - startedAt,
          requestId: request.requestId,
          ...userAgentOf(request),
          ...request.facts,
        });
      },
      afterAnswer: async () => {
        const { organizationId } = request.facts;
        if (organizationId !== undefined && tenantUse !== undefined)
          pending.push(tenantUse.writeDown(organizationId));
        for (const result of await settleAll(pending)) {
          if (result.status === "rejected") logUnexpected(result.reason, request);
        }
      },
    } satisfies StreamedResponse;
  }) as never);
}

/** As the caller sent it, cut; the log line is JSON, so whatever is in it stays in its quotes. */
function userAgentOf({ headers }: HttpRequest): { userAgent?: string } {
  const sent = headers["user-agent"];
  return sent === undefined ? {} : { userAgent: sent.slice(0, MAX_USER_AGENT) };
}

/** JSON tells of one caller's things, and is nothing that a browser may take for a page. */
const JSON_HEADERS = {
  "Content-Type": "application/json",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
};

function bodyHeaders(response: HttpResponse): Record<string, string> {
  return response.json === undefined ? {} : JSON_HEADERS;
}

function withBody(response: HttpResponse): { body?: string | Uint8Array | Readable } {
  if (response.json !== undefined) return { body: JSON.stringify(response.json) };
  return response.body === undefined ? {} : { body: response.body };
}

function discardBody(response: HttpResponse): Record<never, never> {
  if (response.body instanceof Readable) response.body.destroy();
  return {};
}

/** An error nobody meant: the message and stack stay in our log, the caller gets only the request's id. */
function logUnexpected(error: unknown, request: HttpRequest): void {
  console.error(
    JSON.stringify({
      level: "error",
      requestId: request.requestId,
      route: request.facts.route,
      error:
        error instanceof Error
          ? { name: error.name, message: error.message, stack: error.stack }
          : String(error),
    }),
  );
}
