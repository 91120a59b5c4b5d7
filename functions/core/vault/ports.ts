import type { Sealed } from "../instances/instance.ts";

/** A fresh data key: `plaintext` for now, `wrapped` to keep. */
export interface DataKey {
  /** 32 bytes; whoever gets them overwrites them after use. */
  readonly plaintext: Uint8Array;
  readonly wrapped: Uint8Array;
}

/** The service that guards data keys (AWS KMS). Both calls bind the key to its organization. */
export interface KeyService {
  /** Makes a 256-bit data key for an organization: when it is created, and when its key is rotated. */
  generateDataKey(organizationId: string): Promise<DataKey>;
  /** Opens a wrapped data key; 32 bytes, which the caller overwrites after use. Refused for another organization. */
  unwrap(organizationId: string, wrapped: Uint8Array): Promise<Uint8Array>;
}

/** The half that the functions need, and their roles allow. */
export type KeyUnwrapper = Pick<KeyService, "unwrap">;

/** Seals and opens secrets; see core/vault. */
export interface Vault {
  /**
   * Makes the organization's key ready (one KMS call at most every 5 min), so that a later `seal` cannot fail on KMS.
   * What it returns seals with that key and needs nothing else, not even the table of organizations.
   * @throws {Unavailable} KMS does not answer
   */
  prepare(organizationId: string): Promise<Sealer>;
  seal(place: SealedPlace, plaintext: string): Promise<Sealed>;
  /** @throws {SealBroken} moved to another place, tampered with, or of a shredded key */
  open(place: SealedPlace, sealed: Sealed): Promise<string>;
}

/** Seals with a key that is at hand. */
export type Sealer = Pick<Vault, "seal">;

/** Where a ciphertext belongs: it opens nowhere else. */
export interface SealedPlace {
  readonly organizationId: string;
  /** For example `instance/42`, `app/dropbox/…`, `authorization/<hash>`. */
  readonly item: string;
  /** For example `grant`, `configuration`, `client-secret`, `code-verifier`. Also the HKDF purpose. */
  readonly field: string;
  /** Grant version, or empty. */
  readonly version?: number | string;
}

/** One version of an organization's data key, wrapped by KMS; a seal names the one it was made with. */
export interface DataKeyVersion {
  readonly id: string;
  readonly wrapped: Uint8Array;
  /** Store time. Absent: as old as the organization. */
  readonly createdAt?: number;
}

/** Whose data keys the vault works with. */
export interface KeyOwner {
  readonly id: string;
  /** Newest last: new secrets are sealed with it; every version can open. Empty: shredded. */
  readonly dataKeys: readonly DataKeyVersion[];
}
