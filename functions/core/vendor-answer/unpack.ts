import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  type ZlibOptions,
} from "node:zlib";
import { tooLarge } from "./collect-body.ts";

export interface Unpacked {
  readonly bytes: Buffer;
  /** False: a compressed layer is cut off. */
  readonly isComplete: boolean;
}

/**
 * Most encodings around each other: a gateway may compress what its application has compressed already. More
 * are not unpacked.
 */
const MAX_LAYERS = 3;

type Codec = (packed: Buffer, options: ZlibOptions) => Buffer;

const zlibOrRaw: Codec = (packed, options) =>
  isZlib(packed) ? inflateSync(packed, options) : inflateRawSync(packed, options);

/** By the names of RFC 9110 section 8.4.1. There, `deflate` means zlib; some servers send the bare deflate stream. */
const CODECS: Readonly<Record<string, Codec>> = {
  gzip: gunzipSync,
  "x-gzip": gunzipSync,
  deflate: zlibOrRaw,
  br: (packed, { finishFlush, ...options }) =>
    brotliDecompressSync(packed, {
      ...options,
      ...(finishFlush === undefined ? {} : { finishFlush: constants.BROTLI_OPERATION_FLUSH }),
    }),
};

/**
 * Unpacks a body: by its Content-Encoding, and by its first bytes where the header is silent. Ignores a
 * Content-Encoding that does not match the body: some gateways unpack a body and leave the header.
 * @param maxBytes limit of the unpacked bytes; no memory is used for more
 * @throws {VendorError} 502: the body unpacks to more
 */
export function unpack(packed: Buffer, contentEncoding: string, maxBytes: number): Unpacked {
  const named = contentEncoding
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => Object.hasOwn(CODECS, name))
    .reverse();
  let current: Unpacked = { bytes: packed, isComplete: true };
  let layers = 0;
  const decode = (codec: Codec | undefined): boolean => {
    const next =
      codec === undefined || layers === MAX_LAYERS ? undefined : decoded(codec, current.bytes, maxBytes);
    if (next === undefined) return false;
    current = { bytes: next.bytes, isComplete: current.isComplete && next.isComplete };
    layers++;
    return true;
  };
  for (const name of named) decode(CODECS[name]);
  while (decode(codecOf(current.bytes)));
  return current;
}

/**
 * Other readings of a body whose text cannot be parsed: not packed at all, whatever its header says; or packed
 * by brotli or as a bare deflate stream, which have no mark at their beginning.
 * @param received the bytes as received
 * @param unpacked the result of `unpack`
 */
export function* guesses(received: Buffer, unpacked: Buffer, maxBytes: number): Generator<Unpacked> {
  if (received !== unpacked) yield { bytes: received, isComplete: true };
  for (const codec of [CODECS.br, inflateRawSync]) {
    try {
      const found = codec === undefined ? undefined : decoded(codec, unpacked, maxBytes);
      if (found !== undefined) yield found;
    } catch {
      // This reading is too large to be an answer.
    }
  }
}

/** Finds the codec by the first bytes: RFC 1952 section 2.3.1; RFC 1950 section 2.2. */
function codecOf(bytes: Buffer): Codec | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync;
  return isZlib(bytes) ? inflateSync : undefined;
}

function isZlib(bytes: Buffer): boolean {
  const [first = 0, second = 0] = bytes;
  return (first & 0x0f) === 8 && first >> 4 <= 7 && (first * 256 + second) % 31 === 0;
}

/** @returns undefined: the bytes are not packed in this way */
function decoded(codec: Codec, packed: Buffer, maxBytes: number): Unpacked | undefined {
  try {
    return { bytes: codec(packed, { maxOutputLength: maxBytes }), isComplete: true };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    if (code !== "Z_BUF_ERROR") return undefined;
  }
  try {
    // The body is cut off: decodes as much as possible.
    const bytes = codec(packed, { maxOutputLength: maxBytes, finishFlush: constants.Z_SYNC_FLUSH });
    return { bytes, isComplete: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    return undefined;
  }
}
