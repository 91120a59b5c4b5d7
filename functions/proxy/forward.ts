import type { Connector } from "../connectors/define-connector.ts";
import { Unauthorized } from "../core/errors.ts";
import type { GrantDeps } from "../core/grant/grant-deps.ts";
import { readBody } from "../core/read-body.ts";
import type { TenantStore } from "../core/tenants/ports.ts";
import type { VendorResponse } from "../core/vendor-http.ts";
import { vendorSession } from "../core/vendor-session.ts";
import { refuseChoices } from "../http/acts-elsewhere.ts";
import { authorizeInstance, authorizeInstanceToken, type InstanceCaller } from "../http/authorize.ts";
import type { HttpRequest, HttpResponse } from "../http/request.ts";
import {
  type FoundToken,
  findInstanceToken,
  isCredentialPlace,
  type TokenPlace,
} from "./credential-place.ts";
import { refuseMisplacedToken } from "./misplaced-token.ts";
import { withPrivateCaching } from "./private-caching.ts";
import { headersForCaller, headersForVendor } from "./proxy-headers.ts";
import { rewriteJsonFields, rewriteLinkHeader } from "./rewrite-urls.ts";
import { proxyUrl, vendorUrl } from "./vendor-url.ts";

export interface ProxyDeps {
  readonly tenants: TenantStore;
  /** Also contains the instances table, the connectors and the HTTP client for vendors. */
  readonly grants: GrantDeps;
}

/** The caller of the proxy, the connector, and the places of the token. */
export interface ProxyCaller {
  readonly caller: InstanceCaller;
  readonly connector: Connector;
  readonly found: FoundToken;
}

/**
 * Time limit for the vendor until the first byte that can be passed on (the vendor's headers, or all of a
 * body whose URLs are rewritten). API Gateway closes a regional stream after 5 minutes without a byte; this
 * limit ends earlier.
 */
const VENDOR_PATIENCE_MS = 285_000;
/** Longest time between two pieces of a body. */
const IDLE_MS = 120_000;
/** Part of the invocation's time that is reserved for the answer that the vendor was too slow. */
const ERROR_REPLY_MS = 5_000;
/** A header of Linkspan's own, which is not passed on: without it the call acts as the connected account. */
const ANOTHER_PERSON = { headers: ["elements-as-team-member"] };
/** Largest body whose URLs are rewritten. Only such a body is held in memory. */
const MAX_REWRITTEN_BYTES = 8 * 1024 * 1024;

/**
 * The raw proxy: forwards a call to the instance's vendor, with the vendor's own credential in place of the
 * instance token, and streams the answer back. Does not follow redirects; the caller does.
 */
export async function forward(
  request: HttpRequest,
  { caller, connector, found }: ProxyCaller,
  deps: ProxyDeps,
): Promise<HttpResponse<never>> {
  refuseChoices(request, ANOTHER_PERSON, connector.key);
  const sent = sentPairs(request);
  const { api } = connector;

  const rewrites = request.headers["elements-rewrite-urls"]?.trim().toLowerCase() === "true";
  const headers = headersForVendor(request.headers, found.token).filter(
    ([name]) => !(rewrites && name === "accept-encoding"),
  );
  const query = sent.filter(([, value]) => !value.includes(found.token));
  refuseMisplacedToken(found.token, { path: request.path, query, headers });
  if (rewrites) headers.push(["accept-encoding", "identity"]);

  const beganMs = request.remainingMs();
  const patienceMs = () => {
    const remainingMs = request.remainingMs();
    return Math.max(
      1_000,
      Math.min(VENDOR_PATIENCE_MS - (beganMs - remainingMs), remainingMs - ERROR_REPLY_MS),
    );
  };
  const session = vendorSession({
    grants: deps.grants,
    http: deps.grants.http,
    read: { instance: caller.instance, reading: caller.reading },
    call: { remainingMs: request.remainingMs, afterAnswer: request.afterAnswer },
    connector,
  });
  const endpoint = await session.endpoint();
  const response = await session.send({
    method: request.method,
    url: vendorUrl(endpoint, request.path, query),
    headers,
    ...(request.body.length === 0 ? {} : { body: request.body }),
    timeoutMs: patienceMs(),
    idleTimeoutMs: IDLE_MS,
  });
  const rewrite = (url: string): string => proxyUrl(endpoint, url, response.url, `${request.baseUrl}/proxy`);
  const answerHeaders = withPrivateCaching(
    withRewrittenUrls(headersForCaller(response.rawHeaders), rewrite),
    found.places.flatMap(carrierOf),
  );
  if (rewrites && request.method !== "HEAD" && isPlainJson(response) && api.urlFields !== undefined) {
    const text = (await readBody(response, MAX_REWRITTEN_BYTES, patienceMs())).toString("utf8");
    return {
      status: response.status,
      headers: without(answerHeaders, ["content-length", "content-md5", "digest", "accept-ranges"]),
      body: rewriteJsonFields(text, api.urlFields, rewrite),
    };
  }
  return { status: response.status, headers: answerHeaders, body: response.body };
}

/** All decoded pairs of the query, including empty values. */
function sentPairs(request: HttpRequest): readonly (readonly [string, string])[] {
  return request.queryPairs ?? [...request.query];
}

/**
 * Finds the caller by the instance token at a place where the vendor takes its own credential.
 * @throws {LinkspanError} 401 (also for two different tokens), 403, 404
 */
export async function proxyCaller(
  request: HttpRequest,
  { tenants, grants }: ProxyDeps,
): Promise<ProxyCaller> {
  const found = findInstanceToken({ headers: request.headers, query: sentPairs(request) });
  const { token, places } = found;
  const stores = { tenants, instances: grants.instances };
  const caller = await (places.some((place) => place.in === "three-part")
    ? authorizeInstance(request, stores)
    : authorizeInstanceToken(token, request, stores));
  const connector = grants.connectors(caller.instance.connector);
  if (connector === undefined) {
    throw new Error(
      `instance ${caller.instance.id} is of ${caller.instance.connector}, an unknown connector`,
    );
  }
  if (!places.some((place) => isCredentialPlace(connector.api, place))) {
    const named = places.map((place) => `${place.in} ${"name" in place ? place.name : ""}`.trim());
    throw new Unauthorized(
      `${connector.key} takes no credential in the ${named.join(" or the ")}; send Authorization: Bearer <instance token>`,
    );
  }
  return { caller, connector, found };
}

/** Name of the header that contains a place, or none. */
function carrierOf(place: TokenPlace): string[] {
  if (place.in === "query") return [];
  return [place.in === "header" ? place.name : "Authorization"];
}

const URL_HEADERS: readonly string[] = ["location", "content-location"];

function withRewrittenUrls(
  headers: Readonly<Record<string, string>>,
  rewrite: (url: string) => string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const key = name.toLowerCase();
      if (key === "link") return [name, rewriteLinkHeader(value, rewrite)];
      return [name, URL_HEADERS.includes(key) ? rewrite(value) : value];
    }),
  );
}

function without(
  headers: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name.toLowerCase())));
}

function isPlainJson({ headers }: VendorResponse): boolean {
  return (
    /^application\/(?:[a-z0-9.+-]+\+)?json\b/i.test(headers["content-type"] ?? "") &&
    (headers["content-encoding"] ?? "identity").toLowerCase() === "identity"
  );
}
