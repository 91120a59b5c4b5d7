import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { present } from "../core/present.ts";
import {
  AddressRefused,
  type VendorHttp,
  type VendorRequest,
  type VendorResponse,
  VendorUnreachable,
} from "../core/vendor-http.ts";
import { checkHostname, publicLookup } from "./allowed-addresses.ts";
import { CONNECT_TIMEOUT_MS, connections } from "./connections.ts";
import { VendorBody } from "./vendor-body.ts";
import { splitUrl, vendorEndpoint } from "./vendor-endpoints.ts";

const MAX_REDIRECTS = 5;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const SWITCHING_PROTOCOLS = 101;
const DEFAULT_IDLE_TIMEOUT_MS = 60_000;
/** Size limit of all headers of an answer together. */
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_LENIENT_HEADER_BYTES = 64 * 1024;
/** Headers for framing and connection: this module sets them, and drops the caller's values. */
const OWN_HEADERS: readonly string[] = [
  "host",
  "connection",
  "keep-alive",
  "content-length",
  "transfer-encoding",
  "expect",
  "upgrade",
  "te",
  "trailer",
];

export interface VendorHttpOptions {
  /** Name resolution; default: public addresses only. */
  readonly lookup?: LookupFunction;
  /** Certificate authorities in place of the system's, for tests. */
  readonly ca?: string;
}

/**
 * The only HTTP client for vendors. Uses `node:http(s)`: paths and headers are sent unchanged, and bodies are
 * received unchanged (`fetch` would rewrite paths and decompress bodies). Checks addresses when it makes the
 * connection.
 *
 * `timeoutMs` of a request counts from the moment when the request is sent. Making the connection has a
 * separate limit: the same time, but at most 10 s.
 */
export function createVendorHttp(options: VendorHttpOptions = {}): VendorHttp {
  const agentFor = connections({
    lookup: options.lookup ?? publicLookup(),
    ...present({ ca: options.ca }),
  });
  const sendOnce = (request: VendorRequest, freshConnection: boolean): Promise<VendorResponse> => {
    const body = typeof request.body === "string" ? Buffer.from(request.body, "utf8") : request.body;
    const { outgoing, hostHeader } = start(request, body, agentFor, freshConnection);
    return new Promise((resolve, reject) => {
      new Exchange(request, outgoing, hostHeader, { resolve, reject }).begin(body);
    });
  };
  return { send: (request) => followRedirects(request, (each) => sendWithRetry(each, sendOnce)) };
}

type Send = (request: VendorRequest) => Promise<VendorResponse>;

async function followRedirects(request: VendorRequest, send: Send): Promise<VendorResponse> {
  let current = request;
  for (let hops = 0; ; hops++) {
    const response = await send(current);
    const location = response.headers.location;
    if (!request.followRedirects || !isSafe(request.method) || location === undefined) return response;
    if (!REDIRECTS.includes(response.status)) return response;
    response.body.destroy();
    if (hops === MAX_REDIRECTS) {
      throw new VendorUnreachable("the vendor redirects too many times", { sent: true });
    }
    current = redirected(current, location);
  }
}

/** Sends a request; repeats a GET or HEAD once if the vendor has closed the kept socket without an answer. */
async function sendWithRetry(
  request: VendorRequest,
  sendOnce: (request: VendorRequest, freshConnection: boolean) => Promise<VendorResponse>,
): Promise<VendorResponse> {
  try {
    return await sendOnce(request, request.freshConnection ?? false);
  } catch (error) {
    const repeatable = isSafe(request.method) && request.beforeSend === undefined && !request.signal?.aborted;
    if (!repeatable || !(error instanceof LostConnection) || !error.unanswered) throw error;
    return await sendOnce(request, true);
  }
}

/** Starts a request, which waits for its connection; nothing is written yet. @throws {AddressRefused} */
function start(
  request: VendorRequest,
  body: Uint8Array | undefined,
  agentFor: ReturnType<typeof connections>,
  freshConnection: boolean,
): { readonly outgoing: ClientRequest; readonly hostHeader: string } {
  const { hostHeader, endpoint, overridden } = checked(request);
  const { scheme, hostname, host, target } = splitUrl(endpoint);
  const lenient = request.lenient ?? false;
  const port = host.slice(hostname.length + 1);
  const startRequest = scheme === "https" ? httpsRequest : httpRequest;
  const outgoing = startRequest({
    agent: agentFor({ scheme, exempt: overridden, fresh: freshConnection || lenient }),
    method: request.method,
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    ...(port === "" ? {} : { port }),
    path: target,
    // An array, so that names keep their case and Node adds neither Host nor Content-Length.
    headers: headerPairs(request, hostHeader, body?.length) as unknown as string[],
    maxHeaderSize: lenient ? MAX_LENIENT_HEADER_BYTES : MAX_HEADER_BYTES,
    insecureHTTPParser: lenient,
  });
  return { outgoing, hostHeader };
}

/** One request on its connection, until the headers of the answer arrive or the request fails. */
class Exchange {
  readonly #request: VendorRequest;
  readonly #outgoing: ClientRequest;
  readonly #hostHeader: string;
  readonly #end: { resolve(response: VendorResponse): void; reject(error: unknown): void };
  #sent = false;
  /** Bytes that the socket had read before this request. */
  #bytesRead = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    request: VendorRequest,
    outgoing: ClientRequest,
    hostHeader: string,
    end: { resolve(response: VendorResponse): void; reject(error: unknown): void },
  ) {
    this.#request = request;
    this.#outgoing = outgoing;
    this.#hostHeader = hostHeader;
    this.#end = end;
  }

  begin(body: Uint8Array | undefined): void {
    const { timeoutMs, signal } = this.#request;
    const outgoing = this.#outgoing;
    this.#limit(Math.min(CONNECT_TIMEOUT_MS, timeoutMs), `no connection to ${this.#hostHeader} in time`);
    outgoing.once("socket", (socket) => this.#connected(socket.bytesRead, body));
    outgoing.once("upgrade", (_, socket) => {
      socket.destroy();
      this.#switched();
    });
    outgoing.once("response", (incoming) => {
      // Without an `Upgrade` header, Node treats 101 as an answer.
      if (incoming.statusCode === SWITCHING_PROTOCOLS) return this.#switched();
      this.#settled();
      this.#end.resolve(asResponse(incoming, this.#request));
    });
    // After the response, errors belong to the body, which reports them itself.
    outgoing.on("error", (error: NodeJS.ErrnoException) => this.#failed(error));
    if (signal?.aborted) this.#aborted();
    else signal?.addEventListener("abort", this.#aborted, { once: true });
  }

  #connected(bytesRead: number, body: Uint8Array | undefined): void {
    this.#bytesRead = bytesRead;
    try {
      this.#request.beforeSend?.();
    } catch (error) {
      this.#giveUp(error);
      return;
    }
    this.#limit(this.#request.timeoutMs, `${this.#hostHeader} did not answer in time`);
    this.#sent = true;
    this.#outgoing.end(body);
  }

  /** Fails the request: Linkspan never requests another protocol, and no HTTP answer follows a 101. */
  #switched(): void {
    this.#giveUp(new VendorUnreachable(`${this.#hostHeader} switched to another protocol`, { sent: true }));
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.#settled();
    if (error instanceof AddressRefused || error instanceof VendorUnreachable) {
      this.#end.reject(error);
      return;
    }
    const { reusedSocket, socket } = this.#outgoing;
    const unanswered = this.#sent && reusedSocket && socket?.bytesRead === this.#bytesRead;
    const message = `the connection to ${this.#hostHeader} failed (${error.code ?? "unknown"})`;
    const timedOut = error.code === "ETIMEDOUT";
    this.#end.reject(new LostConnection(message, unanswered, { sent: this.#sent, timedOut, cause: error }));
  }

  readonly #aborted = (): void => {
    const cause = this.#request.signal?.reason;
    this.#giveUp(new VendorUnreachable("the request was given up", { sent: this.#sent, cause }));
  };

  /**
   * Rejects at once, because a request that waits for a connection emits its error only after it gets the
   * connection.
   */
  #giveUp(error: unknown): void {
    this.#settled();
    this.#end.reject(error);
    this.#outgoing.destroy();
  }

  #limit(ms: number, message: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#giveUp(new VendorUnreachable(message, { sent: this.#sent, timedOut: true })),
      ms,
    );
  }

  #settled(): void {
    clearTimeout(this.#timer);
    this.#request.signal?.removeEventListener("abort", this.#aborted);
  }
}

/**
 * A broken connection. `unanswered`: the request was sent on a kept socket, and no byte of an answer has
 * arrived.
 */
class LostConnection extends VendorUnreachable {
  readonly unanswered: boolean;
  constructor(
    message: string,
    unanswered: boolean,
    options: { sent: boolean; timedOut?: boolean; cause?: unknown },
  ) {
    super(message, options);
    this.unanswered = unanswered;
  }
}

const isSafe = (method: string): boolean => method === "GET" || method === "HEAD";

/**
 * Checks a request.
 * @throws {AddressRefused} the method or URL scheme is refused, or the host is not declared or not public
 */
function checked(request: VendorRequest): { hostHeader: string; endpoint: string; overridden: boolean } {
  if (!/^[A-Z][A-Z-]*$/.test(request.method) || request.method === "CONNECT" || request.method === "TRACE") {
    throw new AddressRefused(`the method ${JSON.stringify(request.method)} is not sent to vendors`);
  }
  const { scheme, host, hostname } = splitUrl(request.url);
  if (scheme !== "https") throw new AddressRefused("vendors are called over https only");
  if (!request.allowedHosts.some((allowed) => matchesHost(allowed, host, hostname))) {
    throw new AddressRefused(`${host} is not a host that this connector declares`);
  }
  const { url, hostHeader, overridden } = vendorEndpoint(request.url);
  if (!overridden) checkHostname(hostname);
  return { hostHeader, endpoint: url, overridden };
}

/**
 * `*.example.com` matches any name below it, on the default port; any other pattern must be equal, including
 * the port.
 */
function matchesHost(allowed: string, host: string, hostname: string): boolean {
  const wanted = allowed.toLowerCase();
  if (wanted.startsWith("*.")) return host === hostname && hostname.endsWith(wanted.slice(1));
  return host === wanted || host === `${wanted}:443`;
}

function headerPairs(
  request: VendorRequest,
  host: string,
  bodyLength: number | undefined,
): [string, string][] {
  const given = request.headers.filter(([name]) => !OWN_HEADERS.includes(name.toLowerCase()));
  const length = bodyLength ?? (["POST", "PUT", "PATCH"].includes(request.method) ? 0 : undefined);
  return [
    ["Host", host],
    ...given.map(([name, value]): [string, string] => [name, value]),
    ...(length === undefined ? [] : [["Content-Length", String(length)] as [string, string]]),
  ];
}

function asResponse(incoming: IncomingMessage, request: VendorRequest): VendorResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (typeof value === "string") headers[name] = value;
  }
  const rawHeaders: [string, string][] = [];
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    const name = incoming.rawHeaders[index] ?? "";
    if (name.toLowerCase() !== "set-cookie") rawHeaders.push([name, incoming.rawHeaders[index + 1] ?? ""]);
  }
  const body = new VendorBody(incoming, request.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS);
  const onAbort = (): void => {
    body.destroy(
      new VendorUnreachable("the request was given up", { sent: true, cause: request.signal?.reason }),
    );
  };
  request.signal?.addEventListener("abort", onAbort, { once: true });
  body.once("close", () => request.signal?.removeEventListener("abort", onAbort));
  return { status: incoming.statusCode ?? 0, headers, rawHeaders, body, url: request.url };
}

/**
 * The next request of a redirect, without credentials, also for the same host (RFC 9110 section 15.4 allows
 * this).
 */
function redirected(request: VendorRequest, location: string): VendorRequest {
  let url: URL;
  try {
    url = new URL(location, request.url);
  } catch {
    throw new AddressRefused("the vendor redirects to an invalid URL");
  }
  url.hash = "";
  const credentials = request.credentialHeaders ?? ["authorization"];
  return {
    ...request,
    url: url.href,
    headers: request.headers.filter(([name]) => !credentials.includes(name.toLowerCase())),
  };
}
