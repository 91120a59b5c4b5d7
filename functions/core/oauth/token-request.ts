import { type ClientAuth, ClientSecretBasic, ClientSecretPost, None } from "oauth4webapi";
import type { Connector, TokenStep } from "../../connectors/define-connector.ts";
import type { TokenRequest } from "../../connectors/token-hooks.ts";
import { type EndpointValues, filled, knownHosts } from "../endpoint/endpoint.ts";
import { retryAfterMs as retryAfterOf } from "../retry-after.ts";
import type { VendorHttp, VendorRequest } from "../vendor-http.ts";
import type { ClientCredentials } from "./ports.ts";
import { readTokenResponse, type TokenWire } from "./token-response.ts";

/** How the client authenticates at the vendor (RFC 6749 section 2.3.1). */
export function clientAuthentication(connector: Connector, client: ClientCredentials): ClientAuth {
  switch (connector.oauth2.clientAuthentication) {
    case "client_secret_basic":
      return ClientSecretBasic(client.secret);
    case "client_secret_post":
      return ClientSecretPost(client.secret);
    case "none":
      return None();
  }
}

/** The same for a request for a long-lived token: sends the client parameters that the connector declares for it. */
export function stepAuthentication(step: TokenStep, client: ClientCredentials): ClientAuth {
  return (_server, _client, body) => {
    if (step.client.includes("client_id")) body.set("client_id", client.id);
    if (step.client.includes("client_secret")) body.set("client_secret", client.secret);
  };
}

/** The options that oauth4webapi passes to its `customFetch`. */
interface FetchOptions {
  readonly body?: URLSearchParams | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly method: string;
}

export interface Exchange {
  readonly fetch: (url: string, options: FetchOptions) => Promise<Response>;
  /** Whether a byte may have been sent. */
  readonly sent: () => boolean;
  /** The vendor's `Retry-After`, in milliseconds. */
  readonly retryAfterMs: () => number | undefined;
  /** The answer's status, once there is one: the vendor's, or what the connector's hook makes of it. */
  readonly status: () => number | undefined;
}

export interface ExchangeRequest {
  readonly timeoutMs: number;
  readonly beforeSend?: () => void;
  /** The connector and hooks that adapt the request and its answer; absent: both follow RFC 6749 and 7009 unchanged. */
  readonly wire?: TokenWire;
}

/**
 * Sends one request, as a `fetch` for oauth4webapi: through our own port (only to the vendor's hosts, bytes
 * unchanged), on a new connection, and never given up before `timeoutMs`. The connector's hooks run here, so
 * that the library sees request and answer in the form of RFC 6749 (see token-response.ts).
 */
export function exchange(http: VendorHttp, request: ExchangeRequest): Exchange {
  let sent = false;
  let status: number | undefined;
  let retryAfterMs: number | undefined;
  return {
    sent: () => sent,
    status: () => status,
    retryAfterMs: () => retryAfterMs,
    async fetch(url, options) {
      let startedAt = performance.now();
      const response = await http.send({
        ...outgoing(url, options, request.wire),
        timeoutMs: request.timeoutMs,
        idleTimeoutMs: request.timeoutMs,
        freshConnection: true,
        lenient: true,
        beforeSend: () => {
          request.beforeSend?.();
          sent = true;
          startedAt = performance.now();
        },
      });
      sent = true;
      status = response.status;
      retryAfterMs = retryAfterOf(response.headers);
      const leftMs = request.timeoutMs - (performance.now() - startedAt);
      // The timeout covers the body too, because a slow body would outlast the lease.
      const reading = readTokenResponse(response, Math.max(leftMs, 0), request.wire);
      const read = await (request.wire === undefined ? reading.catch(() => bare(response.status)) : reading);
      status = read.status;
      return read.response;
    },
  };
}

/** Only the status of a revocation counts (RFC 7009 section 2.2), whether or not its body can be read. */
function bare(status: number): Awaited<ReturnType<typeof readTokenResponse>> {
  return { status, response: new Response(null, { status: status < 200 || status > 599 ? 502 : status }) };
}

/** The request to send: the library's, or what the connector's hook makes of it. */
function outgoing(
  url: string,
  options: FetchOptions,
  wire: ExchangeRequest["wire"],
): Pick<VendorRequest, "method" | "url" | "headers" | "body" | "allowedHosts"> {
  const identity = ["accept-encoding", "identity"] as const;
  if (wire === undefined) {
    const headers = [...Object.entries(options.headers), identity];
    const body = options.body?.toString();
    return { method: options.method, url, headers, body, allowedHosts: [new URL(url).host] };
  }
  const { connector, kind, values, hooks } = wire;
  const { "content-type": _, ...headers } = options.headers;
  const standard: TokenRequest = {
    kind,
    // The requests for a long-lived token are GETs with a query.
    method: kind === "exchange" || kind === "renewal" ? "GET" : "POST",
    url,
    headers,
    form: Object.fromEntries(options.body ?? []),
  };
  const wanted = hooks.tokenRequest?.(standard) ?? standard;
  const form = new URLSearchParams(wanted.form).toString();
  const allowedHosts = tokenHosts(connector, values, url);
  const kept = [...Object.entries(wanted.headers), identity];
  if (wanted.method === "GET") {
    const query = form === "" ? "" : `${wanted.url.includes("?") ? "&" : "?"}${form}`;
    return { method: "GET", url: `${wanted.url}${query}`, headers: kept, allowedHosts };
  }
  const [type, body] =
    wanted.json === undefined
      ? ["application/x-www-form-urlencoded;charset=UTF-8", form]
      : ["application/json", JSON.stringify(wanted.json)];
  return {
    method: "POST",
    url: wanted.url,
    headers: [...kept, ["content-type", type]],
    body,
    allowedHosts,
  };
}

/**
 * Every host that a token request may reach, whatever a hook makes of it: the host of its URL, and the others
 * that the connector declares.
 */
function tokenHosts(connector: Connector, values: EndpointValues, url: string): string[] {
  const { longLivedToken, tokenUrl, refreshUrl } = connector.oauth2;
  const steps = [longLivedToken?.exchange.url, longLivedToken?.renewal.url, tokenUrl, refreshUrl];
  const urls = steps.flatMap((each) => (each === undefined ? [] : [filled(connector, each, values)]));
  return [...[url, ...urls].map((each) => new URL(each).host), ...knownHosts(connector, values)];
}
