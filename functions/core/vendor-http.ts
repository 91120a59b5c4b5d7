import type { Readable } from "node:stream";

/** A request to a vendor. Nothing else in Linkspan opens a connection to the outside. */
export interface VendorRequest {
  readonly method: string;
  /** Absolute https URL of the vendor's documented host; sent byte for byte as given. */
  readonly url: string;
  /** Header pairs as they are sent; names keep their case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array | string | undefined;
  /** Hosts this request may reach: exact (`api.box.com`) or a suffix (`*.dropboxusercontent.com`). Redirects too. */
  readonly allowedHosts: readonly string[];
  /** Milliseconds within which the response's headers must arrive. */
  readonly timeoutMs: number;
  /** Milliseconds that the response's body may stall between two chunks. Default 60 000. */
  readonly idleTimeoutMs?: number;
  /**
   * Uses a new socket, because the pooled socket of a frozen Lambda may be dead, and then it is unknown whether
   * the request arrived.
   */
  readonly freshConnection?: boolean;
  /**
   * Reads an answer whose framing is wrong (Transfer-Encoding beside Content-Length, odd line ends) or whose
   * headers have up to 64 KB: for token, revocation and account requests, whose answer cannot be requested
   * again. The end of such an answer is a guess, so the request always gets its own socket, used once. Never
   * for the hub and the proxy. Default false.
   */
  readonly lenient?: boolean;
  /** Follows up to 5 redirects of a GET or HEAD to allowed hosts, without the headers in `credentialHeaders`. Default false. */
  readonly followRedirects?: boolean;
  /** Lower-case names of headers that never follow a redirect. Default `authorization`. */
  readonly credentialHeaders?: readonly string[];
  /**
   * Called when the connection is open, as the last step before the first byte is written; if it throws, the
   * request is not sent.
   */
  readonly beforeSend?: () => void;
  readonly signal?: AbortSignal;
}

export interface VendorResponse {
  readonly status: number;
  /** Lower-case names; repeated headers joined by `, ` (set-cookie is never kept). */
  readonly headers: Readonly<Record<string, string>>;
  /** As received, in order. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  /** Bytes as received, never decompressed. Fails when the body stalls or is cut. */
  readonly body: Readable;
  /** URL that answered, after redirects (the vendor's host, not a stand-in's). */
  readonly url: string;
}

/** The port through which core reaches vendors; `functions/vendor-http` implements it on `node:http(s)`. */
export interface VendorHttp {
  /**
   * @throws {VendorUnreachable} no connection, no answer in time, connection lost; says whether the request was sent
   * @throws {AddressRefused} the URL or what its name resolves to is not allowed
   */
  send(request: VendorRequest): Promise<VendorResponse>;
}

/**
 * Whether a header can carry a text (RFC 9110 section 5.5, as `node:http` implements it): no control
 * characters, and only Latin-1.
 */
export function isHeaderText(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]+$/.test(text);
}

/** There was no usable answer. */
export class VendorUnreachable extends Error {
  /** False: no byte was sent, so the vendor cannot have acted. True: it may have acted. */
  readonly sent: boolean;
  /** True if our own timeout ended the request. */
  readonly timedOut: boolean;
  constructor(message: string, options: { sent: boolean; timedOut?: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = "VendorUnreachable";
    this.sent = options.sent;
    this.timedOut = options.timedOut ?? false;
  }
}

/** A host that no connector declares, or an address that must never be called (RFC 1918, loopback, metadata, …). */
export class AddressRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "AddressRefused";
  }
}
