import type { Connector } from "../../../connectors/define-connector.ts";
import type { Instance, ReplacedGrant } from "../../instances/instance.ts";
import type { InstanceItems, InstanceResealing } from "../../instances/instance-store.ts";
import { separateSecrets } from "../../instances/secret-keys.ts";
import type { Vault } from "../../vault/ports.ts";
import {
  openConfiguration,
  resealedConfiguration,
  resealedGrant,
  sealConfiguration,
} from "../store/sealed-grant.ts";

export interface ResealingDeps {
  readonly instances: Pick<InstanceItems, "get"> & InstanceResealing;
  readonly vault: Pick<Vault, "open" | "seal">;
  /**
   * Finds the connector, which declares its secret configuration fields. Without it, only a key's name shows
   * whether its value is a secret.
   */
  readonly connectors?: (key: string) => Connector | undefined;
}

/** A refresh between two reads of an instance re-seals it already, so more rounds than this mean a defect. */
const MOST_ROUNDS = 20;

/**
 * RE-SEAL: seals the stored grant, the replaced grants that are still to be revoked, and the secret
 * configuration under the newest data key. Also seals a secret that an earlier version of Linkspan kept in
 * clear in the configuration. Safe while traffic goes on:
 *
 * - The write's condition is the version that was read, and a version names one grant. So it replaces the same
 *   grant under another key, never a newer grant. The place, and so the additional data, stays that of this
 *   version.
 * - It changes neither version nor fence nor until. So it does not disturb a lease holder: the conditions of
 *   COMMIT (version), RELEASE (fence), SIGN-IN and markDead (both) still hold. It does not reset a fence that
 *   another process has raised.
 * - The fence is part of the condition too, though the version would be enough. If a refresh has begun since
 *   the read, the item is read again; by then the refresh has mostly re-sealed it, and there is nothing left to
 *   write.
 * - A lease that has run out stays, so the next process that takes the lease still looks for the rescue record.
 *
 * An instance that is being deleted is re-sealed too, because its grant must still be revoked.
 * @param isOld whether bytes were sealed under a version that is to be removed
 * @returns `gone`: the instance does not exist any more
 * @throws {SealBroken} a sealed value cannot be opened
 */
export async function resealInstance(
  deps: ResealingDeps,
  read: Instance,
  isOld: (sealed: Uint8Array) => boolean,
): Promise<"resealed" | "current" | "gone"> {
  const { id } = read;
  let instance = read;
  let written = false;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const { version, fence, epoch, grant, replacedGrants = [], sealedConfiguration } = instance;
    const isReplacedOld = replacedGrants.some((each) => isOld(each.grant));
    const inClear = hasSecretsInClear(deps, instance);
    const oldConfiguration =
      !inClear && sealedConfiguration !== undefined && isOld(sealedConfiguration)
        ? sealedConfiguration
        : undefined;
    if (!isOld(grant) && !isReplacedOld && !inClear && oldConfiguration === undefined)
      return written ? "resealed" : "current";
    // All values are opened before the first write: if one cannot be opened, nothing is written.
    const newGrant = isOld(grant) ? await resealedGrant(deps.vault, instance) : undefined;
    const newReplaced = isReplacedOld ? await resealedReplaced(deps, instance, replacedGrants) : undefined;
    const newConfiguration =
      oldConfiguration && (await resealedConfiguration(deps.vault, instance, oldConfiguration));
    const sealedWhole = inClear ? await withSecretsSealed(deps, instance) : undefined;
    const writes: Promise<boolean>[] = [];
    if (newGrant !== undefined) writes.push(deps.instances.reseal(id, { version, fence }, newGrant));
    if (newReplaced !== undefined) writes.push(deps.instances.resealReplaced(id, { epoch }, newReplaced));
    if (oldConfiguration !== undefined && newConfiguration !== undefined)
      writes.push(deps.instances.resealConfiguration(id, oldConfiguration, newConfiguration));
    if (sealedWhole !== undefined)
      writes.push(deps.instances.sealClear(id, sealedConfiguration, sealedWhole));
    const wasWritten = await Promise.all(writes);
    written ||= wasWritten.includes(true);
    if (!wasWritten.includes(false)) return "resealed";
    const { value: now } = await deps.instances.get(id);
    if (now === undefined) return "gone";
    instance = now;
  }
  throw new Error(`instance ${id} changes faster than it can be re-sealed; run the command again`);
}

function hasSecretsInClear(
  { connectors }: ResealingDeps,
  { connector, configuration }: Pick<Instance, "connector" | "configuration">,
): boolean {
  return Object.keys(separateSecrets(connectors?.(connector), configuration).secret).length > 0;
}

/** @throws {SealBroken} the sealed configuration cannot be opened */
async function withSecretsSealed(
  { connectors, vault }: ResealingDeps,
  instance: Instance,
): Promise<Parameters<InstanceResealing["sealClear"]>[2]> {
  const { plain, secret } = separateSecrets(connectors?.(instance.connector), instance.configuration);
  // The clear value wins, because it was written last.
  const all = { ...(await openConfiguration(vault, instance)), ...secret };
  return {
    configuration: plain,
    secretConfigurationKeys: Object.keys(all),
    sealedConfiguration: await sealConfiguration(vault, instance, all),
  };
}

/** @throws {SealBroken} one of them cannot be opened */
async function resealedReplaced(
  { vault }: ResealingDeps,
  owner: Pick<Instance, "id" | "organizationId">,
  replaced: readonly ReplacedGrant[],
): Promise<ReplacedGrant[]> {
  return await Promise.all(
    replaced.map(async (each) => ({ ...each, grant: await resealedGrant(vault, { ...owner, ...each }) })),
  );
}
