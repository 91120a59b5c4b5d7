import { Readable } from "node:stream";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import {
  type VendorHttp,
  type VendorResponse,
  VendorUnreachable,
} from "../../../functions/core/vendor-http.ts";

/** Compressions of a body, each with its Content-Encoding header. */
const PACKINGS: readonly (readonly [header: string, pack: (bytes: Buffer) => Buffer])[] = [
  ["", (bytes) => bytes],
  ["identity", (bytes) => bytes],
  // The header is wrong.
  ["gzip", (bytes) => bytes],
  ["br", (bytes) => bytes],
  ["deflate", (bytes) => bytes],
  ["gzip", gzipSync],
  ["X-GZIP", gzipSync],
  ["", gzipSync],
  ["br", brotliCompressSync],
  ["", brotliCompressSync],
  ["deflate", deflateSync],
  ["", deflateSync],
  ["deflate", deflateRawSync],
  ["", deflateRawSync],
  ["gzip, br", (bytes) => brotliCompressSync(gzipSync(bytes))],
  ["gzip", (bytes) => gzipSync(gzipSync(bytes))],
  ["br", gzipSync],
];

const ENCODINGS: readonly ((text: string) => Buffer)[] = [
  (text) => Buffer.from(text, "utf8"),
  (text) => Buffer.from(`\ufeff${text}`, "utf8"),
  (text) => Buffer.from(text, "utf16le"),
  (text) => Buffer.from(`\ufeff${text}`, "utf16le"),
  (text) => Buffer.from(`\ufeff${text}`, "utf16le").swap16(),
  // Latin-1; with this letter it is not valid UTF-8.
  (text) => Buffer.from(text.includes("{") ? text.replace("{", '{"naïve":"é",') : text, "latin1"),
];

const CONTENT_TYPES = [
  undefined,
  "application/json",
  "application/json; charset=ISO-8859-1",
  "application/x-www-form-urlencoded",
  "text/plain",
  "text/html; charset=utf-8",
  "application/octet-stream",
] as const;

/** The ways in which the same text is wrapped. */
export interface Wrapping {
  readonly packing: (typeof PACKINGS)[number];
  readonly encode: (typeof ENCODINGS)[number];
  readonly contentType: (typeof CONTENT_TYPES)[number];
  readonly before: string;
  readonly after: string;
  readonly pieces: readonly number[];
}

const blanks = fc.constantFrom("", "\n", "\r\n\r\n", "  \n", "\t");

export const wrappings: fc.Arbitrary<Wrapping> = fc.record({
  packing: fc.constantFrom(...PACKINGS),
  encode: fc.constantFrom(...ENCODINGS),
  contentType: fc.constantFrom(...CONTENT_TYPES),
  before: blanks,
  after: blanks,
  pieces: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }),
});

export function wrapped(status: number, text: string, wrapping: Wrapping): VendorResponse {
  const { packing, encode, contentType, before, after, pieces } = wrapping;
  const [encoding, pack] = packing;
  return answer(status, split(pack(encode(`${before}${text}${after}`)), pieces), {
    ...(contentType === undefined ? {} : { "content-type": contentType }),
    ...(encoding === "" ? {} : { "content-encoding": encoding }),
  });
}

/** @param cut whether the connection breaks after the last piece */
export function answer(
  status: number,
  pieces: readonly Buffer[],
  headers: Readonly<Record<string, string>> = {},
  cut = false,
): VendorResponse {
  const body = new Readable({ read: () => {} });
  for (const piece of pieces) body.push(piece);
  if (cut)
    setImmediate(() => body.destroy(new VendorUnreachable("the vendor cut its answer", { sent: true })));
  else body.push(null);
  return { status, headers, rawHeaders: [], url: "", body };
}

/** A client that gets this answer to every request. */
export function answering(response: () => VendorResponse): VendorHttp {
  return {
    async send(request) {
      request.beforeSend?.();
      return response();
    },
  };
}

function split(bytes: Buffer, pieces: readonly number[]): Buffer[] {
  const all: Buffer[] = [];
  let from = 0;
  for (const length of pieces) {
    if (from >= bytes.length) break;
    all.push(bytes.subarray(from, from + length));
    from += length;
  }
  return [...all, bytes.subarray(from)];
}
