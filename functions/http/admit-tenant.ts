import type { HttpRequest } from "./request.ts";

/**
 * Requests that are counted already: a call may look up its caller twice (User and Organization, then the
 * instance).
 */
const admitted = new WeakSet<HttpRequest>();

/**
 * Counts a request of an organization, as soon as the organization is known and before any work for the
 * request.
 * @throws {LinkspanError} 429 `tenant_limit_reached`: the organization has reached the operator's limit
 */
export function admitTenant(request: HttpRequest, organizationId: string): void {
  if (admitted.has(request)) return;
  admitted.add(request);
  request.tenantUse?.admit(organizationId);
}
