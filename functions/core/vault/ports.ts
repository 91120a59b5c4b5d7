import type { Sealed } from "../instances/instance.ts";

/** A new data key: `plaintext` for use now, `wrapped` for storage. */
export interface DataKey {
  /** 32 bytes, which the caller overwrites after use. */
  readonly plaintext: Uint8Array;
  readonly wrapped: Uint8Array;
}

/** The service that protects data keys (AWS KMS). Both calls bind the key to its organization. */
export interface KeyService {
  /** Makes a 256-bit data key for a new organization, or for a rotation. */
  generateDataKey(organizationId: string): Promise<DataKey>;
  /** Opens a wrapped data key; 32 bytes, which the caller overwrites after use. Refused for another organization. */
  unwrap(organizationId: string, wrapped: Uint8Array): Promise<Uint8Array>;
}

/** The part that the functions need and their roles allow. */
export type KeyUnwrapper = Pick<KeyService, "unwrap">;

/** Seals and opens secrets; see core/vault. */
export interface Vault {
  /**
   * Loads the organization's key (one KMS call at most every 5 min), so that a later `seal` cannot fail because
   * of KMS. The returned sealer uses that key and needs nothing else, not even the table of organizations.
   * @throws {Unavailable} KMS does not answer
   */
  prepare(organizationId: string): Promise<Sealer>;
  seal(place: SealedPlace, plaintext: string): Promise<Sealed>;
  /** @throws {SealBroken} moved to another place, tampered with, or its key is shredded */
  open(place: SealedPlace, sealed: Sealed): Promise<string>;
}

/** Seals with a key that is loaded already. */
export type Sealer = Pick<Vault, "seal">;

/** The place of a ciphertext: it cannot be opened at another place. */
export interface SealedPlace {
  readonly organizationId: string;
  /** For example `instance/42`, `app/dropbox/…`, `authorization/<hash>`. */
  readonly item: string;
  /** For example `grant`, `configuration`, `client-secret`, `code-verifier`. Also the HKDF purpose. */
  readonly field: string;
  /** Grant version, or empty. */
  readonly version?: number | string;
}

/** One version of an organization's data key, wrapped by KMS; each sealed secret contains the id of its version. */
export interface DataKeyVersion {
  readonly id: string;
  readonly wrapped: Uint8Array;
  /** Store time. Absent: as old as the organization. */
  readonly createdAt?: number;
}

/** An organization's data keys, for the vault. */
export interface KeyOwner {
  readonly id: string;
  /** Newest last: new secrets are sealed with it; every version can open. Empty: shredded. */
  readonly dataKeys: readonly DataKeyVersion[];
}
