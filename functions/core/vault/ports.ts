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
