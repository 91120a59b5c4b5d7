import { createHash } from "node:crypto";

/** The bytes of a file: stored, or generated when they are read. */
export interface Content {
  readonly size: number;
  /** True: `generatedContent` made it, so its size is enough to make it again. */
  readonly isGenerated?: boolean;
  /** Yields the bytes from `start` up to, but not including, `end`, in pieces of at most 64 KiB. */
  read(start: number, end: number): Generator<Uint8Array>;
}

export const PIECE = 65_536;

export function bytesContent(bytes: Uint8Array): Content {
  return {
    size: bytes.length,
    *read(start, end) {
      for (let at = start; at < end; at += PIECE) yield bytes.subarray(at, Math.min(at + PIECE, end));
    },
  };
}

export function textContent(text: string): Content {
  return bytesContent(Buffer.from(text));
}

/**
 * A file of any size that needs no memory. Each of its 4-byte words is different, so that tests notice
 * exchanged pieces.
 */
export function generatedContent(size: number): Content {
  return {
    size,
    isGenerated: true,
    *read(start, end) {
      for (let at = start; at < end; at += PIECE) yield generatedBytes(at, Math.min(at + PIECE, end));
    },
  };
}

/** The bytes of a generated file from `start` up to, but not including, `end`. */
export function generatedBytes(start: number, end: number): Uint8Array {
  const firstWord = Math.floor(start / 4);
  const words = new Uint32Array(Math.ceil(end / 4) - firstWord);
  for (let index = 0; index < words.length; index++) {
    const word = Math.imul(firstWord + index + 1, 0x9e3779b1);
    words[index] = word ^ (word >>> 15);
  }
  return new Uint8Array(words.buffer).subarray(start - firstWord * 4, end - firstWord * 4);
}

/** Several contents one after the other, without a copy: the parts of an upload session. */
export function joinedContent(parts: readonly Content[]): Content {
  return {
    size: parts.reduce((sum, part) => sum + part.size, 0),
    *read(start, end) {
      let offset = 0;
      for (const part of parts) {
        const from = Math.max(start - offset, 0);
        const to = Math.min(end - offset, part.size);
        if (from < to) yield* part.read(from, to);
        offset += part.size;
      }
    },
  };
}

const hashes = new WeakMap<Content, Map<string, string>>();

/** A hash of the whole content, which is computed once. */
export function hashOf(content: Content, name: string, compute: (content: Content) => string): string {
  const known = hashes.get(content) ?? new Map<string, string>();
  hashes.set(content, known);
  const value = known.get(name) ?? compute(content);
  known.set(name, value);
  return value;
}

/** Hexadecimal digest. */
export function digestOf(content: Content, algorithm: "md5" | "sha1" | "sha256"): string {
  return hashOf(content, algorithm, () => {
    const hash = createHash(algorithm);
    for (const piece of content.read(0, content.size)) hash.update(piece);
    return hash.digest("hex");
  });
}

/** The whole content as text, or undefined if it is longer than `maxBytes`. */
export function wholeText(content: Content, maxBytes: number): string | undefined {
  if (content.size > maxBytes) return undefined;
  return Buffer.concat([...content.read(0, content.size)]).toString("utf8");
}
