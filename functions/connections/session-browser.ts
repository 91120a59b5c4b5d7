import { randomBytes } from "node:crypto";
import { sameHash } from "../core/grant/sign-in/instance-token.ts";
import { hashSecret } from "../core/tenants/secrets.ts";
import type { HttpRequest } from "../http/request.ts";
import { type ConnectSession, SESSION_MS } from "./connect-session.ts";

/** The cookie that binds a session to the browser that opened it first; several sessions may run side by side. */
function cookieName(request: HttpRequest, sessionId: string): string {
  const name = `linkspan-${sessionId.slice(0, 16)}`;
  // `__Host-`: no other host, no other path can set it. Browsers take it on https only (RFC 6265bis section 4.1.3.2).
  return isHttps(request) ? `__Host-${name}` : name;
}

/** Whether this request comes from the session's browser. */
export function isSessionBrowser(request: HttpRequest, session: ConnectSession): boolean {
  const name = cookieName(request, session.sessionId);
  const value = (request.headers.cookie ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
  return value !== undefined && session.browser !== undefined && sameHash(session.browser, hashSecret(value));
}

/**
 * A new cookie for the first browser. `Lax`: it must come along when the vendor sends the user back, and must not when
 * another site posts a form.
 */
export function newSessionCookie(request: HttpRequest, sessionId: string): { header: string; hash: string } {
  const value = randomBytes(32).toString("base64url");
  const secure = isHttps(request) ? "; Secure" : "";
  return {
    header: `${cookieName(request, sessionId)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${SESSION_MS / 1000}${secure}`,
    hash: hashSecret(value),
  };
}

/** Ends the cookie. */
export function endedSessionCookie(request: HttpRequest, sessionId: string): string {
  const secure = isHttps(request) ? "; Secure" : "";
  return `${cookieName(request, sessionId)}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${secure}`;
}

function isHttps(request: HttpRequest): boolean {
  return request.baseUrl.startsWith("https:");
}
