import type { Grant, Instance, Sealed } from "../../instances/instance.ts";
import type { SealedPlace, Sealer, Vault } from "../../vault/ports.ts";

type Place = Pick<Instance, "id" | "organizationId">;

/** A grant opens only on its own instance and as its own version. */
function grantPlace(instance: Place, version: number | string): SealedPlace {
  return {
    organizationId: instance.organizationId,
    item: `instance/${instance.id}`,
    field: "grant",
    version,
  };
}

/** Secret configuration values are sealed as one field, whatever the grant's version. */
function configurationPlace(instance: Place): SealedPlace {
  return { organizationId: instance.organizationId, item: `instance/${instance.id}`, field: "configuration" };
}

export async function sealGrant(
  vault: Sealer,
  instance: Place,
  version: number | string,
  grant: Grant,
): Promise<Sealed> {
  return await vault.seal(grantPlace(instance, version), JSON.stringify(grant));
}

/** @throws {SealBroken} moved, tampered with, or its key is shredded */
export async function openGrant(
  vault: Vault,
  instance: Place,
  version: number | string,
  sealed: Sealed,
): Promise<Grant> {
  return parsed<Grant>(await vault.open(grantPlace(instance, version), sealed));
}

export async function sealConfiguration(
  vault: Sealer,
  instance: Place,
  values: Readonly<Record<string, string>>,
): Promise<Sealed> {
  return await vault.seal(configurationPlace(instance), JSON.stringify(values));
}

/** The secret configuration values; empty if nothing was sealed. */
export async function openConfiguration(
  vault: Pick<Vault, "open">,
  instance: Place & Pick<Instance, "sealedConfiguration">,
): Promise<Record<string, string>> {
  if (instance.sealedConfiguration === undefined) return {};
  return parsed(await vault.open(configurationPlace(instance), instance.sealedConfiguration));
}

/** The same grant of the same version under the organization's newest data key. @throws {SealBroken} it does not open */
export async function resealedGrant(
  vault: Pick<Vault, "open" | "seal">,
  instance: Place & Pick<Instance, "version" | "grant">,
): Promise<Sealed> {
  const place = grantPlace(instance, instance.version);
  return await vault.seal(place, await vault.open(place, instance.grant));
}

/** The same secret configuration under the newest data key. @throws {SealBroken} it does not open */
export async function resealedConfiguration(
  vault: Pick<Vault, "open" | "seal">,
  instance: Place,
  sealed: Sealed,
): Promise<Sealed> {
  const place = configurationPlace(instance);
  return await vault.seal(place, await vault.open(place, sealed));
}

/** Hides the error of JSON.parse, which contains the text, and so could put a token into a log. */
function parsed<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Error("the sealed text is not JSON");
  }
}
