import { randomBytes } from "node:crypto";
import { Forbidden } from "../core/errors.ts";
import { hashSecret, sameHash } from "../core/secret-hash.ts";
import type { HttpRequest } from "../http/request.ts";
import { type ConnectSession, SESSION_MS } from "./connect-session.ts";

/**
 * Name of the cookie that binds a session to one browser; it differs by session, because a browser may have
 * several.
 */
function cookieName(request: HttpRequest, sessionId: string): string {
  const name = `linkspan-${sessionId.slice(0, 16)}`;
  // `__Host-`: no other host can set this cookie, and its path is always `/`. Browsers accept this prefix on
  // https only (RFC 6265bis section 4.1.3.2).
  return isHttps(request) ? `__Host-${name}` : name;
}

/** The value of this session's cookie; `undefined`: the browser sent none. */
export function sessionCookie(request: HttpRequest, sessionId: string): string | undefined {
  const name = cookieName(request, sessionId);
  return (request.headers.cookie ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

/** Whether this request comes from the browser that the session is bound to. */
export function isSessionBrowser(
  request: HttpRequest,
  session: Pick<ConnectSession, "sessionId" | "browser">,
): boolean {
  const value = sessionCookie(request, session.sessionId);
  return value !== undefined && session.browser !== undefined && sameHash(session.browser, hashSecret(value));
}

/** @throws {Forbidden} the session is bound to another browser */
export function refuseOtherBrowser(
  request: HttpRequest,
  session: Pick<ConnectSession, "sessionId" | "browser">,
): void {
  if (session.browser !== undefined && !isSessionBrowser(request, session)) throw otherBrowser();
}

export function otherBrowser(): Forbidden {
  return new Forbidden("This link is in use in another browser, and works only there");
}

/**
 * A new cookie, to which no session is bound yet. `SameSite=Lax`: browsers send it when the vendor sends the
 * user back, but not when another site posts a form.
 */
export function newSessionCookie(request: HttpRequest, sessionId: string): { header: string; value: string } {
  const value = randomBytes(32).toString("base64url");
  return { header: setCookie(request, sessionId, value), value };
}

/**
 * The session cookie that the browser sent, with a new full lifetime.
 * @returns undefined: the browser sent none
 */
export function renewedCookie(request: HttpRequest, sessionId: string): string | undefined {
  const value = sessionCookie(request, sessionId);
  return value === undefined ? undefined : setCookie(request, sessionId, value);
}

function setCookie(request: HttpRequest, sessionId: string, value: string): string {
  const secure = isHttps(request) ? "; Secure" : "";
  const name = cookieName(request, sessionId);
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${SESSION_MS / 1000}${secure}`;
}

/**
 * Token that the page's form sends in addition to the cookie: only a page that was made for this browser has
 * it.
 */
export function formToken(cookie: string): string {
  return hashSecret(`form ${cookie}`);
}

/**
 * Whether a form was posted from the connect page: its token belongs to the cookie, and the browser names no
 * other origin. For browsers that send neither `Sec-Fetch-Site` nor `Origin`, the token and the cookie's
 * `SameSite` protect the form.
 */
export function isOwnForm(request: HttpRequest, form: URLSearchParams, cookie: string): boolean {
  const { origin, "sec-fetch-site": site } = request.headers;
  const own = site === undefined ? undefined : site === "same-origin" || site === "none";
  if (own === false) return false;
  if (own === undefined && origin !== undefined && origin !== new URL(request.baseUrl).origin) return false;
  return sameHash(form.get("form") ?? "", formToken(cookie));
}

function isHttps(request: HttpRequest): boolean {
  return request.baseUrl.startsWith("https:");
}
