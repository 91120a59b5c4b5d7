import { Readable } from "node:stream";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { requestOutcome } from "../../aws/outcome-metrics.ts";
import { settleAll } from "../../core/settle-all.ts";
import type { TenantUse } from "../../core/tenants/tenant-use.ts";
import { sendableHeaders } from "../header-values.ts";
import { logUnexpected } from "../log-unexpected.ts";
import { readRequest } from "../read-request.ts";
import type { HttpRequest, HttpResponse } from "../request.ts";
import type { StreamedResponse } from "../streaming-mode.ts";
import type { Call, Middleware, MiddyRequest } from "./call.ts";

/** Characters of a User-Agent header that go into the log. */
const MAX_USER_AGENT = 256;

/** Headers of JSON answers: private to one caller, and never shown by a browser as a page. */
const JSON_HEADERS = {
  "Content-Type": "application/json",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
};

/**
 * The outermost middleware: turns API Gateway's event into a call, and the answer into a stream with the request's id. After
 * the stream ends it records metrics and a log line, and waits for the remaining background work.
 * @param name of the function in metrics and logs
 * @param tenantUse returns the request limit of each organization; `undefined`: there is no limit
 */
export function streamAnswer(name: string, tenantUse?: () => TenantUse | undefined): Middleware {
  const end = (middy: MiddyRequest): void => {
    const { event: call, response } = middy;
    if (response === undefined) return;
    const use = tenantUse?.();
    const { request, startedAt, pending } = call;
    const latencyMs = performance.now() - startedAt;
    const body = response.json === undefined ? response.body : JSON.stringify(response.json);
    const streamed: StreamedResponse = {
      statusCode: response.status,
      headers: sendableHeaders({
        ...(response.json === undefined ? {} : JSON_HEADERS),
        ...lengthOf(body),
        ...response.headers,
        "Elements-Request-Id": request.requestId,
      }),
      ...bodyOf(request, body),
      onEnd: () => {
        response.onEnd?.();
        requestOutcome({
          function: name,
          route: request.logContext.route ?? "unknown",
          status: response.status,
          latencyMs,
          durationMs: performance.now() - startedAt,
          requestId: request.requestId,
          ...userAgentOf(request),
          ...request.logContext,
        });
      },
      afterAnswer: async () => {
        const { organizationId } = request.logContext;
        if (organizationId !== undefined && use !== undefined) pending.push(use.writeDown(organizationId));
        for (const result of await settleAll(pending)) {
          if (result.status === "rejected") logUnexpected(result.reason, request);
        }
      },
    };
    middy.response = streamed as never;
  };
  return {
    before(middy) {
      const event = middy.event as unknown as APIGatewayProxyEvent;
      const pending: Promise<unknown>[] = [];
      const request = readRequest(event, middy.context, pending);
      const use = tenantUse?.();
      if (use !== undefined) Object.assign(request, { tenantUse: use });
      middy.event = { request, startedAt: performance.now(), pending } satisfies Call;
    },
    after: end,
    onError: end,
  };
}

/** The body of the answer; none for HEAD (RFC 9110 section 9.3.2). */
function bodyOf({ method }: HttpRequest, body: HttpResponse["body"]): Pick<StreamedResponse, "body"> {
  if (method === "HEAD") {
    if (body instanceof Readable) body.destroy();
    return {};
  }
  return body === undefined ? {} : { body };
}

/** `Content-Length` of a body in memory; old clients need it in errors. The handler of a stream sets its own. */
function lengthOf(body: HttpResponse["body"]): Record<string, string> {
  return body === undefined || body instanceof Readable
    ? {}
    : { "Content-Length": String(Buffer.byteLength(body)) };
}

/** The caller's User-Agent, cut to 256 characters. It is safe in the log line, because JSON escapes it. */
function userAgentOf({ headers }: HttpRequest): { userAgent?: string } {
  const sent = headers["user-agent"];
  return sent === undefined ? {} : { userAgent: sent.slice(0, MAX_USER_AGENT) };
}
