import type { IncomingMessage } from "node:http";

/** A request as the vendor's code sees it. */
export interface VendorRequest {
  readonly method: string;
  /** Lower case, without port; empty when the header is missing. */
  readonly host: string;
  /**
   * `https://<vendor host>` if the Host header names one of the vendor's hosts, otherwise the stand-in's
   * own origin.
   */
  readonly origin: string;
  /** Raw path, percent-encoding kept. */
  readonly path: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  /** @throws {BodyTooLarge} */
  body(maxBytes?: number): Promise<Buffer>;
  /** Adds account and grant type to the request log. */
  note(details: { account?: string; grantType?: string }): void;
}

/** The request's body is longer than the stand-in accepts. */
export class BodyTooLarge extends Error {}

/** A little over the largest single upload of the vendors (Dropbox: 150 MiB). */
export const MAX_BODY_BYTES = 160 * 1024 * 1024;

export async function readWhole(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > maxBytes) throw new BodyTooLarge(`the body is longer than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

/** The token of `Authorization: Bearer …`. */
export function bearerOf(request: VendorRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.header("authorization") ?? "")?.[1];
}

/** Parses a form-encoded body; other bodies are parsed as if they were forms. */
export async function formOf(request: VendorRequest): Promise<URLSearchParams> {
  return new URLSearchParams((await request.body(1_048_576)).toString("utf8"));
}
