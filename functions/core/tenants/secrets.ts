import { randomBytes } from "node:crypto";

/** User (`lsu_`) and organization (`lso_`) secrets: 256 random bits, with a prefix that secret scanners can find. */
export function newSecret(kind: "lsu" | "lso"): string {
  return `${kind}_${randomBytes(32).toString("base64url")}`;
}
