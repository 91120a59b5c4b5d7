import { ResponseBodyError, type TokenEndpointResponse } from "oauth4webapi";
import { cutSecrets } from "../cut-secrets.ts";
import { present } from "../present.ts";
import { AddressRefused, VendorUnreachable } from "../vendor-http.ts";
import { isDeadGrant } from "./dead-grant.ts";
import { isClientError, oauthError } from "./oauth-errors.ts";
import type { TokenOutcome, TokenResponse } from "./ports.ts";
import type { Exchange } from "./token-request.ts";
import { VENDOR_TOKEN_TYPE } from "./token-response.ts";

/** Standard members of a token answer; any other string or number goes into `extra`. */
const STANDARD = new Set([
  "access_token",
  "token_type",
  "refresh_token",
  "scope",
  "expires_in",
  VENDOR_TOKEN_TYPE,
]);
/** The grant in a token answer that the library has read. */
export function tokenResponse(answer: TokenEndpointResponse): TokenResponse {
  const extra: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer)) {
    if (STANDARD.has(name)) continue;
    const text = typeof value === "string" || typeof value === "number" ? String(value) : undefined;
    // instances/fit-grant.ts limits how much of `extra` is stored.
    if (text !== undefined) extra[name] = text;
  }
  const tokenType = answer[VENDOR_TOKEN_TYPE];
  return {
    accessToken: answer.access_token,
    tokenType: typeof tokenType === "string" ? tokenType : "bearer",
    ...present({ refreshToken: answer.refresh_token, scope: answer.scope }),
    ...(answer.expires_in === undefined ? {} : { expiresInMs: answer.expires_in * 1000 }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** Statuses of a server that is busy or was too slow: an error about the grant is not reliable then. */
const NOT_NOW: readonly number[] = [408, 425, 429];

/**
 * Maps an error to an outcome. If the vendor may have acted on the request, the outcome is `unknown`.
 * @param deadGrantErrors the connector's own error codes for a dead grant
 */
export function outcomeOfError(
  error: unknown,
  wire: Exchange,
  secrets: readonly string[],
  deadGrantErrors: readonly string[] = [],
): TokenOutcome {
  const reason = (told: string) => cutSecrets(told, secrets).slice(0, 200);
  if (!wire.sent() && !(error instanceof VendorUnreachable && error.sent)) {
    return { kind: "never_sent", reason: reason(describe(error)) };
  }
  const status = wire.status();
  if (status === undefined) return { kind: "unknown", reason: reason(describe(error)) };
  const told = error instanceof ResponseBodyError ? oauthError(error.cause, secrets) : undefined;
  if (told !== undefined && isClientError(told.error)) return { kind: "client_refused", status, ...told };
  if (told !== undefined && !NOT_NOW.includes(status) && isDeadGrant(told, deadGrantErrors)) {
    return { kind: "invalid_grant", ...told };
  }
  const retryAfterMs = wire.retryAfterMs();
  // An error under status 200 became a 400 for the library: the vendor refused, whatever the status.
  const refused = (status >= 400 && status < 500) || (status === 200 && told !== undefined);
  if (refused || (status === 503 && retryAfterMs !== undefined)) {
    return {
      kind: "refused",
      status,
      ...(told ?? { error: `http_${status}` }),
      ...present({ retryAfterMs }),
    };
  }
  return {
    kind: "unknown",
    reason: status >= 200 && status < 300 ? `an answer that cannot be read (${status})` : `status ${status}`,
  };
}

function describe(error: unknown): string {
  if (error instanceof VendorUnreachable || error instanceof AddressRefused) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : "unknown";
}
