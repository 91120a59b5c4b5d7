import { isUtf8 } from "node:buffer";

/**
 * A body's text, without a byte order mark and without white space around it. The bytes decide, not the
 * header's charset: UTF-8 if they are valid UTF-8; UTF-16 by its byte order mark or by the zero byte in its
 * first letter (RFC 4627 section 3); otherwise Latin-1, in which each byte is a letter and none is lost.
 */
export function decodeText(bytes: Buffer): string {
  return decode(bytes).trim();
}

function decode(bytes: Buffer): string {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return utf8OrLatin1(bytes.subarray(3));
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return utf16(bytes);
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0 && second !== undefined))
    return utf16(Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16());
  return utf8OrLatin1(bytes);
}

/** Keeps the byte order mark: `trim` removes it, because it counts U+FEFF as white space. */
function utf16(bytes: Buffer): string {
  return bytes.toString("utf16le");
}

function utf8OrLatin1(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? "utf8" : "latin1");
}
