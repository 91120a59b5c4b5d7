import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../../clock.ts";
import { matchPath, pathTemplate } from "../kit/path-template.ts";
import { SwitchBoard } from "../kit/switches.ts";
import type { EndpointKind, StandInFault } from "../stand-in.ts";
import { type Answer, sendAnswer, textAnswer } from "./answer.ts";
import { Faults } from "./faults.ts";
import { BodyTooLarge, MAX_BODY_BYTES, readWhole, type VendorRequest } from "./request.ts";
import { type LogEntry, RequestLog } from "./request-log.ts";

/** One of a vendor's endpoints. */
export interface Endpoint {
  /** The vendor's hosts that serve this endpoint (`*.vendor.com`: all below it); the loopback address serves every endpoint. */
  readonly hosts: readonly string[];
  /** A path template (`kit/path-template.ts`), or a prefix if it ends in `/`. */
  readonly path: string;
  /** A further condition; without it, every request to the path. */
  isFor?(request: { readonly method: string; readonly path: string }): boolean;
  readonly kind: EndpointKind;
  handle(request: VendorRequest): Answer | Promise<Answer>;
}

/** One vendor's part of the server. */
export interface VendorEndpoints {
  readonly hosts: readonly string[];
  readonly endpoints: readonly Endpoint[];
  /** The answer for a path that the vendor does not know. */
  unknown(request: VendorRequest): Answer;
  /** The vendor's own answer for a fault that has a status but no body. */
  faultAnswer(status: number): Answer;
}

/** Controls and console: not logged, no faults, loopback only. */
export interface OwnEndpoints {
  readonly prefix: string;
  handle(request: VendorRequest): Answer | Promise<Answer>;
}

/**
 * One HTTP server on 127.0.0.1 that answers for all of a vendor's hosts; the Host header says which host is
 * meant.
 */
export class StandInServer {
  readonly faults = new Faults();
  readonly log = new RequestLog();
  readonly switches: SwitchBoard;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #closing = new AbortController();
  #vendor: VendorEndpoints | undefined;
  #acted = (): void => {};
  #own: readonly OwnEndpoints[] = [];
  #held: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.switches = new SwitchBoard(clock);
    this.#server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch((error: unknown) => {
        if (!this.#closing.signal.aborted && !isGone(error)) console.error("stand-in:", error);
        outgoing.destroy();
      });
    });
    // Longer than any client keeps an idle connection, so that both ends do not close it at the same
    // moment.
    this.#server.keepAliveTimeout = 65_000;
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** Starts to listen; requests are served once `attach` was called. */
  async listen(port: number): Promise<string> {
    await new Promise<void>((listening, failed) => {
      this.#server.once("error", failed);
      this.#server.listen(port, "127.0.0.1", listening);
    });
    return this.origin;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** `acted` is called after an endpoint has acted and before its answer is sent. */
  attach(vendor: VendorEndpoints, own: readonly OwnEndpoints[], acted: () => void): void {
    this.#vendor = vendor;
    this.#acted = acted;
    this.#own = own;
  }

  releaseHeldBodies(): void {
    for (const letGo of this.#held.splice(0)) letGo();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.releaseHeldBodies();
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    incoming.on("error", () => outgoing.destroy());
    outgoing.on("error", () => undefined);
    const vendor = this.#vendor;
    const [path = "", ...query] = (incoming.url ?? "/").split("?");
    const host = hostOf(incoming);
    const isLoopback = host === "127.0.0.1" || host === "localhost";
    if (vendor === undefined || !path.startsWith("/") || !(isLoopback || isOneOf(vendor.hosts, host))) {
      // 421 (RFC 9110 section 15.5.20) also keeps web pages of other names out (DNS rebinding).
      await this.#send(incoming, outgoing, textAnswer(421, "this stand-in does not answer for this host\n"));
      return;
    }
    const own = this.#own.find((each) => path === each.prefix || path.startsWith(`${each.prefix}/`));
    if (own !== undefined && isLoopback) {
      const request = this.#request(incoming, host, path, query.join("?"), undefined);
      const answer = await own.handle(request);
      this.#acted();
      await this.#send(incoming, outgoing, answer);
      return;
    }
    const endpoint = vendor.endpoints.find(
      (each) =>
        (isLoopback || isOneOf(each.hosts, host)) &&
        matches(each.path, path) &&
        each.isFor?.({ method: incoming.method ?? "GET", path }) !== false,
    );
    const kind = endpoint?.kind ?? "api";
    const entry = this.log.begin(incoming, kind, this.#clock.now());
    const request = this.#request(incoming, host, path, query.join("?"), entry);
    const fault = this.faults.take(request.method, path, kind);
    if (fault?.delayMs !== undefined) {
      await pause(fault.delayMs, undefined, { signal: this.#closing.signal });
    }
    if (fault?.reset === "never") return;
    if (fault?.reset === "before") {
      incoming.socket.resetAndDestroy();
      return;
    }
    const waitSeconds = kind === "api" ? this.switches.secondsUntilNextCall() : 0;
    const limit = { status: 429, headers: { "Retry-After": String(waitSeconds) } };
    const refusal = fault?.status !== undefined ? fault : waitSeconds > 0 ? limit : undefined;
    const answer =
      refusal?.status === undefined
        ? await this.#answer(request, endpoint, vendor)
        : faultAnswer(refusal, refusal.status, vendor);
    if (fault?.reset === "after") {
      incoming.socket.resetAndDestroy();
      return;
    }
    entry.status = answer.status;
    await this.#send(incoming, outgoing, answer, fault);
  }

  async #answer(
    request: VendorRequest,
    endpoint: Endpoint | undefined,
    vendor: VendorEndpoints,
  ): Promise<Answer> {
    try {
      return endpoint === undefined ? vendor.unknown(request) : await endpoint.handle(request);
    } catch (error) {
      if (error instanceof BodyTooLarge) return textAnswer(413, "payload too large\n");
      if (isGone(error)) throw error;
      if (!this.#closing.signal.aborted) console.error(`stand-in: ${request.method} ${request.path}:`, error);
      return vendor.faultAnswer(500);
    } finally {
      this.#acted();
    }
  }

  #request(
    incoming: IncomingMessage,
    host: string,
    path: string,
    query: string,
    entry: LogEntry | undefined,
  ): VendorRequest {
    let body: Promise<Buffer> | undefined;
    return {
      method: incoming.method ?? "GET",
      host,
      origin: isOneOf(this.#vendor?.hosts ?? [], host) ? `https://${host}` : this.origin,
      path,
      query: new URLSearchParams(query),
      header(name) {
        const value = incoming.headers[name.toLowerCase()];
        return Array.isArray(value) ? value.join(", ") : value;
      },
      body(maxBytes = MAX_BODY_BYTES) {
        body ??= readWhole(incoming, maxBytes).then((bytes) => {
          if (entry !== undefined) entry.bodyBytes = bytes.length;
          return bytes;
        });
        return body;
      },
      note(details) {
        if (entry !== undefined) Object.assign(entry, details);
      },
    };
  }

  #send(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    answer: Answer,
    fault?: StandInFault,
  ): Promise<void> {
    return sendAnswer(outgoing, answer, {
      fault,
      isHead: incoming.method === "HEAD",
      date: new Date(this.#clock.now()),
      released: () => new Promise((letGo) => this.#held.push(letGo)),
      closing: this.#closing.signal,
    });
  }
}

function faultAnswer(fault: StandInFault, status: number, vendor: VendorEndpoints): Answer {
  const own = fault.body === undefined ? vendor.faultAnswer(status) : { status, body: fault.body };
  return {
    ...own,
    headers: {
      ...own.headers,
      ...(fault.contentType === undefined ? {} : { "Content-Type": fault.contentType }),
      ...fault.headers,
    },
  };
}

/** Whether the client disconnected in the middle of its request. */
function isGone(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "ECONNRESET";
}

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith("/")
    ? path.startsWith(pattern)
    : matchPath(pathTemplate(pattern), path) !== undefined;
}

function isOneOf(patterns: readonly string[], host: string): boolean {
  return patterns.some((pattern) =>
    pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern,
  );
}

function hostOf(incoming: IncomingMessage): string {
  return (incoming.headers.host ?? "").toLowerCase().replace(/:\d+$/, "");
}
