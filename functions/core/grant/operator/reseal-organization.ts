import type { Connector } from "../../../connectors/define-connector.ts";
import { Conflict } from "../../errors.ts";
import type { Sealed } from "../../instances/instance.ts";
import type { InstanceItems, InstanceLists, InstanceResealing } from "../../instances/instance-store.ts";
import type { RescueStore } from "../../instances/rescue-store.ts";
import { clientSecretPlace } from "../../oauth/client-resolver.ts";
import { livingOrganization, restedVersions } from "../../tenants/data-keys.ts";
import type { Organization, RegisteredApp, TenantRecords } from "../../tenants/ports.ts";
import type { Vault } from "../../vault/ports.ts";
import { keyIdOf, SealBroken } from "../../vault/sealed-format.ts";
import { instancesOf } from "./instances-of.ts";
import { rescueRecordsOf, sealedIn, sealedOf } from "./rescue-of-organization.ts";
import { resealDetails } from "./reseal-details.ts";
import { resealInstance } from "./reseal-instance.ts";

export interface ResealDeps {
  readonly records: Pick<TenantRecords, "organization" | "listApps" | "resealApp" | "replaceDataKeys">;
  readonly instances: Pick<InstanceItems, "get"> & InstanceLists & InstanceResealing;
  readonly rescue: Pick<RescueStore, "list" | "read">;
  readonly vault: Pick<Vault, "open" | "seal">;
  /** Finds the connector, which declares its secret configuration fields (grant/operator/reseal-instance.ts). */
  readonly connectors?: (key: string) => Connector | undefined;
  /** The store's time, epoch milliseconds. */
  readonly now: () => number;
}

export interface Resealing {
  readonly resealed: number;
  /** Number of values that were sealed under the newest version already. */
  readonly current: number;
  /** Values that cannot be opened: tampered with, or their key is shredded. Named `instance/<id>` or `app/<id>`. */
  readonly broken: readonly string[];
  /** Ids of the versions that were removed. */
  readonly retired: readonly string[];
  /** Older versions that stay: superseded too recently, or still used by a sealed value. */
  readonly kept: readonly { readonly id: string; readonly why: "resting" | "in_use" }[];
}

type Done = "resealed" | "current" | "gone";

/**
 * Seals everything that is stored for an organization under the newest version of its data key, and removes the
 * older versions that nothing uses any more. May run any number of times, while traffic goes on: each secret is
 * its own conditional write, and a later run skips what is done.
 *
 * A version is removed when it has rested (`KEY_REST_MS`: no process seals with it, and nothing that expires is
 * sealed under it) and nothing was found under it after that. The search covers the rescue bucket, then the
 * tables, then the bucket again: a record can move from the bucket to the table, and a replaced grant that must
 * still be revoked can move from the table to the bucket. Neither moves back.
 * @throws {NotFound}
 * @throws {Conflict} the organization is being deleted, or its keys changed meanwhile
 */
export async function resealOrganization(deps: ResealDeps, organizationId: string): Promise<Resealing> {
  const organization = await livingOrganization(deps.records, organizationId);
  const newest = organization.dataKeys.at(-1)?.id;
  const isOld = (sealed: Sealed): boolean => keyIdOf(sealed) !== newest;
  const rested = restedVersions(organization, deps.now()).map(({ id }) => id);
  const inUse = rested.length === 0 ? new Set<string>() : await keysInRescue(deps, organizationId);

  const count = { resealed: 0, current: 0, gone: 0 };
  const broken: string[] = [];
  const settle = async (name: string, sealed: readonly Sealed[], work: Promise<Done>): Promise<void> => {
    try {
      count[await work] += 1;
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      broken.push(name);
      for (const id of keyIdsOf(sealed)) inUse.add(id);
    }
  };
  for (const app of await deps.records.listApps(organizationId)) {
    await settle(`app/${app.id}`, [app.clientSecret], resealApp(deps, app, isOld));
  }
  for await (const some of instancesOf(deps.instances, organizationId)) {
    await Promise.all(
      some.map((instance) =>
        settle(`instance/${instance.id}`, sealedOf(instance), resealInstance(deps, instance, isOld)),
      ),
    );
    for (const instance of some.filter(({ keepsDetails }) => keepsDetails)) {
      const details = await resealDetails(deps, instance, isOld);
      count.resealed += details.resealed;
      count.current += details.current;
      if (details.broken.length > 0) broken.push(`instance/${instance.id}/details`);
      for (const key of keyIdsOf(details.broken)) inUse.add(key);
    }
  }

  if (rested.length > 0) for (const id of await keysInRescue(deps, organizationId)) inUse.add(id);
  const retired = rested.filter((id) => !inUse.has(id));
  await retire(deps, organization, retired);
  return {
    resealed: count.resealed,
    current: count.current,
    broken,
    retired,
    kept: organization.dataKeys
      .filter(({ id }) => id !== newest && !retired.includes(id))
      .map(({ id }) => ({ id, why: rested.includes(id) ? "in_use" : "resting" })),
  };
}

async function keysInRescue(deps: Pick<ResealDeps, "rescue">, organizationId: string): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { record } of rescueRecordsOf(deps.rescue, organizationId)) {
    for (const id of keyIdsOf(sealedIn(record))) found.add(id);
  }
  return found;
}

function keyIdsOf(sealed: readonly Sealed[]): string[] {
  return sealed.flatMap((each) => {
    try {
      return [keyIdOf(each)];
    } catch {
      // Not one of our seals: no key opens it.
      return [];
    }
  });
}

/**
 * A secret that was replaced meanwhile is sealed under the newest version already, or the next run looks at it
 * again.
 */
async function resealApp(
  { records, vault }: Pick<ResealDeps, "records" | "vault">,
  app: RegisteredApp,
  isOld: (sealed: Sealed) => boolean,
): Promise<Done> {
  if (!isOld(app.clientSecret)) return "current";
  const place = clientSecretPlace(app.organizationId, app.id);
  const sealed = await vault.seal(place, await vault.open(place, app.clientSecret));
  return (await records.resealApp(app, sealed)) ? "resealed" : "current";
}

async function retire(
  { records }: Pick<ResealDeps, "records">,
  { id, dataKeys }: Organization,
  retired: readonly string[],
): Promise<void> {
  if (retired.length === 0) return;
  const kept = dataKeys.filter((each) => !retired.includes(each.id));
  if (await records.replaceDataKeys(id, dataKeys, kept)) return;
  throw new Conflict(
    "this organization's data keys changed meanwhile, so none was retired; run the command again",
    "changed",
  );
}
