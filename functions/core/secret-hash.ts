import { createHash, timingSafeEqual } from "node:crypto";

/** What is kept of a secret, a token, a state, a claim: its SHA-256. They are random, so no salt and no slow hash is needed. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Compares in a time that does not tell how much of it was right. */
export function sameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
