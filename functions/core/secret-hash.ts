import { createHash, timingSafeEqual } from "node:crypto";

/**
 * The stored form of a secret, a token, a state or a claim: its SHA-256. These values are random, so they need
 * no salt and no slow hash.
 */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Compares in a time that does not depend on how much of the text is equal. */
export function sameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
