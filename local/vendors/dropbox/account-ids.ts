import { createHash } from "node:crypto";

/** The account's id in the API: `dbid:` and 35 characters. The same for a login in every run. */
export function accountIdOf(login: string): string {
  return `dbid:${createHash("sha256").update(`account ${login}`).digest("base64url").slice(0, 35)}`;
}

/** The old numeric user id, which token answers still contain. */
export function userIdOf(login: string): string {
  return String(createHash("sha256").update(`user ${login}`).digest().readUInt32BE());
}
