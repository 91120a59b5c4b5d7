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
/** All headers of an answer together. */
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_LENIENT_HEADER_BYTES = 64 * 1024;
/** We set the headers for framing and connection; those of the caller are dropped. */
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
  /** Certificate authorities in place of the system's: for tests. */
  readonly ca?: string;
}

/**
 * The only way out to vendors, on `node:http(s)`: path and headers leave as given, bodies arrive as sent (`fetch` would
 * rewrite the one and decompress the other), and addresses are checked where the connection is made.
 *
 * `timeoutMs` of a request counts from the moment it is sent; connecting has as much of its own, 10 s at most.
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
      throw new VendorUnreachable("the vendor redirects without end", { sent: true });
    }
    current = redirected(current, location);
  }
}

/** A kept socket may have been closed by the vendor just before: then a GET or HEAD goes out once more. */
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

/** Nothing is written yet: the request waits for its connection. @throws {AddressRefused} */
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
    // As an array: names keep their case, and Node adds neither Host nor a length of its own.
    headers: headerPairs(request, hostHeader, body?.length) as unknown as string[],
    maxHeaderSize: lenient ? MAX_LENIENT_HEADER_BYTES : MAX_HEADER_BYTES,
    insecureHTTPParser: lenient,
  });
  return { outgoing, hostHeader };
}

/** One request on its connection, until the headers of the answer are there or nothing can come any more. */
class Exchange {
  readonly #request: VendorRequest;
  readonly #outgoing: ClientRequest;
  readonly #hostHeader: string;
  readonly #end: { resolve(response: VendorResponse): void; reject(error: unknown): void };
  #sent = false;
  /** Of the socket, before this request. */
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
      // Without `Upgrade` Node takes 101 for an answer.
      if (incoming.statusCode === SWITCHING_PROTOCOLS) return this.#switched();
      this.#settled();
      this.#end.resolve(asResponse(incoming, this.#request));
    });
    // Later errors belong to the body, which reports them itself.
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

  /** We never ask for another protocol; after a 101 another protocol follows, or nothing at all. */
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

  /** Rejects here as well: a request that waits for a connection emits its error only after it gets the connection. */
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

/** A connection that broke; `unanswered`: on a kept socket, and not one byte of an answer had come. */
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

/** @throws {AddressRefused} not https, not a declared host, or a host that is no public address */
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

/** `*.example.com` stands for any name below it, on the default port; anything else must be equal, the port too. */
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

/** The next request of a redirect: no credentials, whatever the host (RFC 9110 section 15.4 leaves that to us). */
function redirected(request: VendorRequest, location: string): VendorRequest {
  let url: URL;
  try {
    url = new URL(location, request.url);
  } catch {
    throw new AddressRefused("the vendor redirects to something that is no URL");
  }
  url.hash = "";
  const credentials = request.credentialHeaders ?? ["authorization"];
  return {
    ...request,
    url: url.href,
    headers: request.headers.filter(([name]) => !credentials.includes(name.toLowerCase())),
  };
}
