import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * Makes cursors with a signature, which no other stand-in and no other run accepts. Clients must treat them
 * as opaque.
 */
export interface PageTokens {
  seal(value: unknown): string;
  /** Returns undefined for a token that this object did not make. */
  open<T>(token: string): T | undefined;
}

const TAG_BYTES = 16;

export function pageTokens(): PageTokens {
  const key = randomBytes(32);
  const tagOf = (payload: Buffer) =>
    createHmac("sha256", key).update(payload).digest().subarray(0, TAG_BYTES);
  return {
    seal(value) {
      const payload = Buffer.from(JSON.stringify(value));
      return Buffer.concat([tagOf(payload), payload]).toString("base64url");
    },
    open(token) {
      const bytes = Buffer.from(token, "base64url");
      if (bytes.length <= TAG_BYTES || bytes.toString("base64url") !== token) return undefined;
      const payload = bytes.subarray(TAG_BYTES);
      return timingSafeEqual(bytes.subarray(0, TAG_BYTES), tagOf(payload))
        ? JSON.parse(payload.toString())
        : undefined;
    },
  };
}
