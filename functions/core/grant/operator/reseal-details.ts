import { keptDetailsPlace } from "../../documents/kept-details.ts";
import type { Instance } from "../../instances/instance.ts";
import type { KeptDetailsResealing } from "../../instances/kept-details-store.ts";
import type { Vault } from "../../vault/ports.ts";
import { SealBroken } from "../../vault/sealed-format.ts";

export interface DetailsResealing {
  readonly resealed: number;
  readonly current: number;
  /** Sealed values that cannot be opened: tampered with, or their key is shredded. */
  readonly broken: readonly Uint8Array[];
}

/**
 * Seals the details that an instance keeps of its user's files under the newest data key. A value that changes meanwhile is
 * sealed under the newest key already.
 * @param isOld whether bytes were sealed under a version that is to be removed
 */
export async function resealDetails(
  {
    instances,
    vault,
  }: { readonly instances: KeptDetailsResealing; readonly vault: Pick<Vault, "open" | "seal"> },
  instance: Pick<Instance, "id" | "organizationId">,
  isOld: (sealed: Uint8Array) => boolean,
): Promise<DetailsResealing> {
  let [resealed, current] = [0, 0];
  const broken: Uint8Array[] = [];
  for await (const page of instances.listDetails(instance.id)) {
    for (const stored of page) {
      if (!isOld(stored.sealed)) {
        current++;
        continue;
      }
      try {
        const place = keptDetailsPlace(instance, stored.key);
        const sealed = await vault.seal(place, await vault.open(place, stored.sealed));
        if (await instances.resealDetails(instance.id, stored, sealed)) resealed++;
        else current++;
      } catch (error) {
        if (!(error instanceof SealBroken)) throw error;
        broken.push(stored.sealed);
      }
    }
  }
  return { resealed, current, broken };
}
