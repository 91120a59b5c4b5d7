import { randomBytes, randomInt } from "node:crypto";
import { hashSecret } from "../secret-hash.ts";

/** 43 characters of base64url: 256 bits. */
const TOKEN = /^lsi_([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/;

/** Random and below 2^48, so below 2^53: a number in JSON for every client. */
export function newInstanceId(): number {
  return randomInt(1, 2 ** 48 - 1);
}

/** A new instance token, `lsi_<id in base 36>.<256-bit secret>`: shown once; only its hash is stored. */
export function newInstanceToken(instanceId: number): { token: string; hash: string } {
  const secret = randomBytes(32).toString("base64url");
  return { token: `lsi_${instanceId.toString(36)}.${secret}`, hash: hashSecret(secret) };
}

/**
 * The id and hash of a well-formed instance token; `undefined` for anything else. Does not check whether the
 * token is valid.
 */
export function readInstanceToken(token: string): { instanceId: number; hash: string } | undefined {
  const [, id, secret] = TOKEN.exec(token) ?? [];
  if (id === undefined || secret === undefined) return undefined;
  const instanceId = readShortId(id);
  return instanceId === undefined ? undefined : { instanceId, hash: hashSecret(secret) };
}

/** An instance's id as tokens and links write it, in base 36; `undefined`: no instance can have it. */
export function readShortId(text: string): number | undefined {
  const instanceId = /^[0-9a-z]{1,11}$/.test(text) ? Number.parseInt(text, 36) : Number.NaN;
  return Number.isSafeInteger(instanceId) && instanceId >= 1 ? instanceId : undefined;
}
