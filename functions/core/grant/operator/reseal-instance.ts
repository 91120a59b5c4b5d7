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
   * For what a connector says of its own configuration; without the connector, only a key's name tells whether its value is a
   * secret.
   */
  readonly connectors?: (key: string) => Connector | undefined;
}

/** A refresh between two reads of an instance re-seals it by itself. More rounds than this mean a defect. */
const MOST_ROUNDS = 20;

/**
 * RE-SEAL: the stored grant, those it replaced that are yet to end, and the secret configuration, under the newest data key. A
 * secret that an earlier version kept in clear among the configuration is sealed with it. While traffic goes on:
 *
 * - The write asks for the version that was read, and a version names one grant: what is replaced is the same grant under
 *   another key, never a newer one. The place, and so the additional data, stays that of this version.
 * - It changes neither version nor fence nor until. So it does not disturb a lease holder: the conditions of COMMIT
 *   (version), RELEASE (fence), SIGN-IN and markDead (both) still hold. It does not reset a fence that another process has
 *   raised.
 * - It asks for the fence too, though the version would do: where somebody has begun since, look again; mostly the refresh
 *   has re-sealed by then, and nothing is left to write.
 * - A lease that has run out stays as it is, and so the next taker looks for its record as before.
 *
 * An instance that is being deleted is re-sealed too: its grant is yet to be revoked.
 * @param isOld whether bytes were sealed under a version that is to go
 * @returns `gone`: the instance is no longer there
 * @throws {SealBroken} it cannot be opened
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
    // All are opened before the first write: if one cannot be opened, nothing is written.
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

/** @throws {SealBroken} what lies sealed cannot be opened */
async function withSecretsSealed(
  { connectors, vault }: ResealingDeps,
  instance: Instance,
): Promise<Parameters<InstanceResealing["sealClear"]>[2]> {
  const { plain, secret } = separateSecrets(connectors?.(instance.connector), instance.configuration);
  // The clear value wins: it was written last.
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
