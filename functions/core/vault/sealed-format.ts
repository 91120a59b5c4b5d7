import type { KeyObject } from "node:crypto";
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { LinkspanError } from "../errors.ts";
import type { SealedPlace } from "./ports.ts";

/**
 * One sealed secret, as bytes:
 *
 *     format (1) | length of key id (1) | key id (ASCII) | salt (32) | nonce (12) | ciphertext | tag (16)
 *
 * AES-256-GCM with a 96-bit nonce and a 128-bit tag (NIST SP 800-38D, sections 5.2.1.1 and 5.2.1.2) under its
 * own key: HKDF-SHA-512 (RFC 5869) of the organization's data key with a fresh 256-bit salt. So no two secrets
 * share a key, and the limit on random nonces under one key (SP 800-38D, section 8.3) is never reached.
 */
const FORMAT = 1;
const SALT_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** A ciphertext that cannot be opened: moved to another place, tampered with, or sealed with a key that is shredded. */
export class SealBroken extends LinkspanError {
  constructor(reason: string) {
    super(500, "seal_broken", `a stored secret cannot be opened: ${reason}`);
  }
}

/** @param dataKey the organization's data key with the id `keyId` */
export function sealWith(
  dataKey: KeyObject,
  keyId: string,
  place: SealedPlace,
  plaintext: string,
): Uint8Array {
  const id = Buffer.from(keyId, "ascii");
  if (id.length === 0 || id.length > 255) throw new RangeError("a key id has 1 to 255 characters");
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const key = deriveKey(dataKey, salt, place.field);
  const secret = Buffer.from(plaintext, "utf8");
  try {
    const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(additionalData(keyId, place));
    const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([
      Buffer.from([FORMAT, id.length]),
      id,
      salt,
      nonce,
      ciphertext,
      cipher.getAuthTag(),
    ]);
  } finally {
    key.fill(0);
    secret.fill(0);
  }
}

/**
 * The id of the data key that sealed a secret. Not proven yet: only opening proves it.
 * @throws {SealBroken} unknown format
 */
export function keyIdOf(sealed: Uint8Array): string {
  return split(sealed).keyId;
}

/** @throws {SealBroken} the secret was sealed for another place or with another key, or was changed */
export function openWith(dataKey: KeyObject, place: SealedPlace, sealed: Uint8Array): string {
  const { keyId, salt, nonce, ciphertext, tag } = split(sealed);
  const key = deriveKey(dataKey, salt, place.field);
  let start: Buffer | undefined;
  let end: Buffer | undefined;
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(additionalData(keyId, place));
    decipher.setAuthTag(tag);
    start = decipher.update(ciphertext);
    end = decipher.final();
    return Buffer.concat([start, end]).toString("utf8");
  } catch {
    throw new SealBroken("it was changed, or belongs to another place");
  } finally {
    key.fill(0);
    start?.fill(0);
    end?.fill(0);
  }
}

function split(sealed: Uint8Array) {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes[0] !== FORMAT) throw new SealBroken("its format is not known");
  const idLength = bytes[1] ?? 0;
  const saltAt = 2 + idLength;
  const nonceAt = saltAt + SALT_BYTES;
  const textAt = nonceAt + NONCE_BYTES;
  const tagAt = bytes.length - TAG_BYTES;
  if (idLength === 0 || tagAt < textAt) throw new SealBroken("it is incomplete");
  return {
    keyId: bytes.toString("latin1", 2, saltAt),
    salt: bytes.subarray(saltAt, nonceAt),
    nonce: bytes.subarray(nonceAt, textAt),
    ciphertext: bytes.subarray(textAt, tagAt),
    tag: bytes.subarray(tagAt),
  };
}

function deriveKey(dataKey: KeyObject, salt: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha512", dataKey, salt, `linkspan/v${FORMAT}/${purpose}`, KEY_BYTES));
}

/** The length of each part comes before it, so that two places never have the same encoding. */
function additionalData(keyId: string, place: SealedPlace): Buffer {
  const parts = [
    String(FORMAT),
    keyId,
    place.organizationId,
    place.item,
    place.field,
    String(place.version ?? ""),
  ].map((part) => Buffer.from(part, "utf8"));
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}
