import { InvalidRequest } from "../core/errors.ts";

type Pairs = readonly (readonly [name: string, value: string])[];

/** Hop-by-hop headers: RFC 9110 section 7.6.1, and RFC 2616 section 13.5.1 for old peers. */
const HOP_BY_HOP: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Headers that are not passed to the vendor. A star stands for any ending. */
const notToVendor = anyOf([
  ...HOP_BY_HOP,
  // Computed for the vendor's host and the body that is sent.
  "host",
  "content-length",
  "expect",
  // Linkspan's own headers, and the caller's secrets.
  "authorization",
  "cookie",
  "elements-*",
  // Caller and way of the request, written by AWS and other proxies.
  "forwarded",
  "via",
  "x-forwarded-*",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-original-*",
  "x-envoy-*",
  "x-amzn-*",
  "x-amz-cf-*",
  "cloudfront-*",
  "cf-*",
  "true-client-ip",
  "x-http-method-override",
]);

/** Headers that are not passed to the caller. */
const notToCaller = anyOf([
  ...HOP_BY_HOP,
  "set-cookie",
  "set-cookie2",
  // Headers that only Linkspan may set.
  "elements-*",
  "x-amzn-*",
  "access-control-*",
  // Rules for the vendor's host; a browser would apply them to Linkspan's host.
  "alt-svc",
  "strict-transport-security",
  "public-key-pins*",
  "expect-ct",
  "content-security-policy*",
  "x-content-type-options",
  "clear-site-data",
  // Rules for shared caches and for servers between vendor and caller (see private-caching.ts).
  "cdn-cache-control",
  "cloudflare-cdn-cache-control",
  "vercel-cdn-cache-control",
  "netlify-cdn-cache-control",
  "surrogate-*",
  "edge-control",
  "x-accel-*",
  "x-sendfile",
  "service-worker-allowed",
  "origin-agent-cluster",
  "nel",
  "report-to",
  "reporting-endpoints",
]);

/**
 * Headers that are added to the vendor's answer, so that a browser does not treat it as one of Linkspan's
 * pages: the same host serves the connect pages, with their cookies.
 */
const ADDED_FOR_CALLER: Pairs = [
  ["X-Content-Type-Options", "nosniff"],
  ["Content-Security-Policy", "sandbox"],
];

/**
 * The caller's headers that go to the vendor.
 * @param token the instance token: a header that holds it is not passed on
 * @throws {InvalidRequest} a value has characters that HTTP does not allow
 */
export function headersForVendor(
  headers: Readonly<Record<string, string>>,
  token: string,
): [string, string][] {
  const ofThisHop = listed(headers.connection);
  const passed = Object.entries(headers).filter(
    ([name, value]) => !notToVendor(name) && !ofThisHop.has(name) && !value.includes(token),
  );
  for (const [name, value] of passed) {
    // RFC 9110 section 5.5.
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new InvalidRequest(`the header ${name} holds characters that HTTP does not allow`, name);
    }
  }
  return passed;
}

/** The vendor's headers that go to the caller; repeated headers are joined. */
export function headersForCaller(rawHeaders: Pairs): Record<string, string> {
  const connection = rawHeaders.filter(([name]) => name.toLowerCase() === "connection");
  const ofThisHop = listed(connection.map(([, value]) => value).join(","));
  const passed = new Map<string, [name: string, value: string]>();
  for (const [name, value] of rawHeaders) {
    const key = name.toLowerCase();
    if (notToCaller(key) || ofThisHop.has(key)) continue;
    const before = passed.get(key);
    passed.set(key, before === undefined ? [name, value] : [before[0], `${before[1]}, ${value}`]);
  }
  return Object.fromEntries([...passed.values(), ...ADDED_FOR_CALLER]);
}

/** The headers that a `Connection` header declares to be for this hop only. */
function listed(connection: string | undefined): ReadonlySet<string> {
  return new Set((connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
}

/** Makes a test of whether a name equals a pattern, or begins with a pattern that ends with a star. */
function anyOf(patterns: readonly string[]): (name: string) => boolean {
  const names = new Set(patterns);
  const beginnings = patterns.filter((each) => each.endsWith("*")).map((each) => each.slice(0, -1));
  return (name) => names.has(name) || beginnings.some((each) => name.startsWith(each));
}
