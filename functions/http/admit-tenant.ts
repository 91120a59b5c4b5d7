import type { HttpRequest } from "./request.ts";

/** A call may look its caller up twice (User and Organization, then the instance): it is counted once. */
const admitted = new WeakSet<HttpRequest>();

/**
 * Counts a request of an organization, as soon as it is known whose it is and before anything is done for it.
 * @throws {LinkspanError} 429 `tenant_limit_reached`: the organization has used what the operator allows it
 */
export function admitTenant(request: HttpRequest, organizationId: string): void {
  if (admitted.has(request)) return;
  admitted.add(request);
  request.tenantUse?.admit(organizationId);
}
