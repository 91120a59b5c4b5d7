import type { KeyObject } from "node:crypto";
import { LinkspanError, Unavailable } from "../errors.ts";
import { keyCache } from "./key-cache.ts";
import type { KeyOwner, KeyUnwrapper, Vault } from "./ports.ts";
import { keyIdOf, openWith, SealBroken, sealWith } from "./sealed-format.ts";

export { SealBroken } from "./sealed-format.ts";

export interface VaultOptions {
  readonly keys: KeyUnwrapper;
  /**
   * Finds the organization and its wrapped data keys. May answer from a cache, except with `fresh`: then a
   * ciphertext names a key that the cached organization lacks, because another container sealed it just after a
   * rotation.
   */
  readonly organization: (id: string, options?: { readonly fresh: boolean }) => Promise<KeyOwner | undefined>;
  /** Epoch milliseconds; for tests. */
  readonly now?: () => number;
}

/**
 * Envelope encryption: each organization has a data key wrapped by KMS, and each secret is sealed under a key
 * derived from it, bound to its place (sealed-format.ts). New secrets are sealed with the newest data key; old
 * secrets open as long as their key exists. A rollback of a whole item to its own older state is not detected.
 */
export function createVault({ keys, organization, now }: VaultOptions): Vault {
  const cached = keyCache(now === undefined ? {} : { now });

  async function dataKey(organizationId: string, keyId: string, wrapped: Uint8Array): Promise<KeyObject> {
    try {
      return await cached(JSON.stringify([organizationId, keyId]), () =>
        keys.unwrap(organizationId, wrapped),
      );
    } catch (error) {
      if (error instanceof LinkspanError) throw error;
      throw new Unavailable("the key service does not answer", "key_service_unavailable", 5, error);
    }
  }

  async function newestKey(organizationId: string): Promise<{ id: string; key: KeyObject }> {
    const newest = (await organization(organizationId))?.dataKeys.at(-1);
    if (newest === undefined) throw new SealBroken("its organization has no data key");
    return { id: newest.id, key: await dataKey(organizationId, newest.id, newest.wrapped) };
  }

  async function namedKey(organizationId: string, keyId: string): Promise<KeyObject> {
    for (const fresh of [false, true]) {
      const found = (await organization(organizationId, { fresh }))?.dataKeys.find(({ id }) => id === keyId);
      if (found !== undefined) return dataKey(organizationId, keyId, found.wrapped);
    }
    throw new SealBroken("the data key that it names does not exist any more");
  }

  return {
    async prepare(organizationId) {
      // Keeps the key itself, so that a grant can be sealed even while KMS and the tables are down.
      const { id, key } = await newestKey(organizationId);
      return {
        async seal(place, plaintext) {
          if (place.organizationId !== organizationId) throw new Error("prepared for another organization");
          return sealWith(key, id, place, plaintext);
        },
      };
    },
    async seal(place, plaintext) {
      const { id, key } = await newestKey(place.organizationId);
      return sealWith(key, id, place, plaintext);
    },
    async open(place, sealed) {
      return openWith(await namedKey(place.organizationId, keyIdOf(sealed)), place, sealed);
    },
  };
}
