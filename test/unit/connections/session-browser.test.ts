import { describe, expect, it } from "vitest";
import type { ConnectSession } from "../../../functions/connections/connect-session.ts";
import { isSessionBrowser, newSessionCookie } from "../../../functions/connections/session-browser.ts";
import { hashSecret } from "../../../functions/core/secret-hash.ts";
import { request } from "./a-request.ts";

const sessionId = "cs_0123456789abcdef0123456789abcdef";
const { header, value } = newSessionCookie(request(), sessionId);
const hash = hashSecret(value);
const [cookie = ""] = header.split(";");
const session = { sessionId, browser: hash } as ConnectSession;

describe("the browser of a connect session", () => {
  it("is only the one with the session's cookie", () => {
    expect(isSessionBrowser(request({ cookie: `a=b; ${cookie}; c=d` }), session)).toBe(true);
    const [name = ""] = cookie.split("=");
    const [other = ""] = newSessionCookie(request(), sessionId).header.split(";");
    for (const sent of [undefined, "", "a=b", `${name}=`, `${name}=${hash}`, `x${cookie}`, other])
      expect(isSessionBrowser(request({ cookie: sent }), session), sent).toBe(false);
  });

  it("is not known before a browser has submitted the form", () => {
    const { browser: _, ...unopened } = session;
    expect(isSessionBrowser(request({ cookie }), unopened as ConnectSession)).toBe(false);
  });

  it("has a cookie that other hosts cannot set, scripts cannot read, and forms of other sites do not send", () => {
    expect(header).toMatch(/^__Host-linkspan-/);
    const attributes = header.split("; ").slice(1);
    expect(attributes).toEqual(expect.arrayContaining(["Path=/", "HttpOnly", "SameSite=Lax", "Secure"]));
    expect(header).not.toContain("Domain=");
    // 256 bits, of which only the hash is stored.
    expect(cookie.split("=")[1]).toMatch(/^[\w-]{43}$/);
    expect(cookie).not.toContain(hash);
  });
});
