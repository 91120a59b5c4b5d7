import { createHash, randomBytes } from "node:crypto";

/** User (`lsu_`) and organization (`lso_`) secrets: 256 random bits, with a prefix that secret scanners can find. */
export function newSecret(kind: "lsu" | "lso"): string {
  return `${kind}_${randomBytes(32).toString("base64url")}`;
}

/** What is kept of a secret, a state, a claim: its SHA-256. They are random, so no salt and no slow hash is needed. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
