import type { HttpRequest, HttpResponse } from "./request.ts";

/** For each request, the listed origins of the organization that its instance token belongs to. */
const allowed = new WeakMap<HttpRequest, readonly string[]>();

const DAY_SECONDS = 86_400;
const ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Notes which browser origins may read the answer to this request; `authorize.ts` calls it. */
export function allowOrigins(request: HttpRequest, origins: readonly string[]): void {
  allowed.set(request, origins);
}

/**
 * Answers a browser's preflight, for any origin: a preflight has no token, so the organization and its list
 * of origins are not known yet. The preflight's answer reveals nothing; the answer to the real request
 * carries `Access-Control-Allow-Origin` only for a listed origin. Cookies are never allowed.
 * @param methods that an instance token may use at this path: all methods, on the hub and the proxy
 * @returns undefined: the request is not a preflight, or the path has no calls for browsers
 */
export function preflight(
  request: HttpRequest,
  methods: readonly string[] = ALL_METHODS,
): HttpResponse | undefined {
  const { origin } = request.headers;
  if (request.method !== "OPTIONS" || origin === undefined) return undefined;
  if (request.headers["access-control-request-method"] === undefined || methods.length === 0)
    return undefined;
  return {
    status: 204,
    headers: {
      "Access-Control-Allow-Origin": "*",
      "Access-Control-Allow-Methods": methods.join(", "),
      // The wildcard does not cover Authorization (https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name).
      "Access-Control-Allow-Headers": "Authorization, *",
      "Access-Control-Max-Age": String(DAY_SECONDS),
    },
  };
}

/** Headers of every answer, including errors, to calls that an instance token may make. */
export function corsHeaders(request: HttpRequest): Record<string, string> {
  const { origin } = request.headers;
  const listed = origin !== undefined && (allowed.get(request) ?? []).includes(origin);
  return {
    ...(listed ? { "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "*" } : {}),
    Vary: "Origin",
  };
}
