import { type AuditEvent, type AuditTrail, auditEvent } from "../core/audit.ts";
import { LinkspanError } from "../core/errors.ts";
import { present } from "../core/present.ts";
import type { Middleware, MiddyRequest } from "../http/middleware/call.ts";
import type { HttpRequest } from "../http/request.ts";
import { isPlatformCall } from "./own-instance.ts";

/**
 * Records an audit event of each call whose contract has `audit`, done or refused, before the answer. Records
 * it only if the organization is known: calls with an unknown secret are only logged (status 401), so that
 * they cannot fill the audit trail.
 */
export function auditCalls(deps: () => { readonly audit: AuditTrail }): Middleware {
  const leave = async ({ event: { request, route } }: MiddyRequest, outcome: string): Promise<void> => {
    if (route?.audit !== undefined) await record(deps, eventOf(request, route.audit, outcome));
  };
  return {
    after: (middy) => leave(middy, middy.event.request.logContext.code ?? "done"),
    onError: (middy) =>
      leave(middy, middy.error instanceof LinkspanError ? middy.error.code : "internal_error"),
  };
}

function eventOf(request: HttpRequest, action: string, outcome: string): AuditEvent | undefined {
  const { logContext, requestId, sourceIp } = request;
  const { organizationId, userId, instanceId, connector, changed } = logContext;
  if (organizationId === undefined) return undefined;
  return auditEvent({
    action: logContext.action ?? action,
    outcome,
    by: callerOf(request),
    requestId,
    sourceIp,
    organizationId,
    ...present({ userId, instanceId, connector, changed }),
  });
}

function callerOf(request: HttpRequest): AuditEvent["by"] {
  if (request.headers.authorization === undefined) return "browser";
  return isPlatformCall(request) ? "user" : "instance";
}

/**
 * If the audit trail does not accept the event, logs the event. The call is still answered, because its work
 * is done.
 */
async function record(
  deps: () => { readonly audit: AuditTrail },
  event: AuditEvent | undefined,
): Promise<void> {
  if (event === undefined) return;
  try {
    await deps().audit.record(event);
  } catch (error) {
    const reason = error instanceof Error ? error.name : "unknown";
    console.error(JSON.stringify({ level: "error", message: "audit event not taken", reason, audit: event }));
  }
}
