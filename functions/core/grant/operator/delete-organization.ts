import { NotFound } from "../../errors.ts";
import type { Instance } from "../../instances/instance.ts";
import type { InstanceLists, InstanceRemoval } from "../../instances/instance-store.ts";
import type { PendingSignIn } from "../../instances/pending-sign-in.ts";
import type { PendingLists, PendingRemoval, PendingSignIns } from "../../instances/pending-store.ts";
import type { RescueStore } from "../../instances/rescue-store.ts";
import type { Organization, TenantRecords } from "../../tenants/ports.ts";
import { timing } from "../timing.ts";
import { instancesOf } from "./instances-of.ts";
import { pendingsOf } from "./pendings-of.ts";
import { rescueRecordsOf } from "./rescue-of-organization.ts";

/**
 * After the suspension a first exchange may still be under way: the function that makes instances lives for 2 minutes and
 * sees the suspension within 30 s. Nothing is shredded before, so that its grant is revoked and not only forgotten.
 */
const UNDER_WAY_MS = 10 * 60_000;

export interface OrganizationDeletionDeps {
  readonly records: Pick<
    TenantRecords,
    "organization" | "updateOrganization" | "replaceDataKeys" | "removeOrganization"
  >;
  readonly instances: Pick<InstanceLists, "listByOrganization" | "getMany"> & InstanceRemoval;
  readonly pendings: PendingLists & Pick<PendingSignIns, "get"> & PendingRemoval;
  readonly rescue: Pick<RescueStore, "list" | "read" | "remove">;
  /** Kills an instance's token and has a worker revoke its grant (grant/revocation/delete-instance.ts). `false`: it is gone. */
  readonly revoke: (instanceId: number) => Promise<boolean>;
  /** The same for a pending sign-in (grant/store/end-soon.ts). `false`: it was claimed. */
  readonly endPending: (pending: PendingSignIn) => Promise<boolean>;
  /** The store's time, epoch milliseconds. */
  readonly now: () => number;
}

export interface OrganizationDeletion {
  /** `revoking`: run it again later. `shredded`: nothing of it is left, and nothing opens it. */
  readonly state: "revoking" | "shredded";
  /** Instances whose grants are not revoked yet; once shredded: that were given up, and so live on at their vendors. */
  readonly left: readonly Instance[];
  /** Number of pending sign-ins whose grants are not revoked yet (once shredded: were given up). */
  readonly pendings: number;
  /** Grants in the rescue bucket, of whom the same is true. */
  readonly rescueRecords: number;
  /**
   * Store time from which a run shreds the key if nothing is left (`shreddedFrom`), and even if something is left
   * (`givenUpFrom`).
   */
  readonly shreddedFrom: number;
  readonly givenUpFrom: number;
}

/**
 * Deletes an organization, in as many runs as it takes: suspends it, has every instance revoked at its vendor as the kill
 * switch does, and when none is left (or after 7 days, or at once where the operator says so) shreds its data key and deletes
 * what was its. From the first run on there is no way back.
 *
 * The key goes first: from then on nothing that is left anywhere opens, whatever becomes of the rest of the run. The
 * organization's item goes last, so that a run that was cut off can be repeated.
 * @param shredNow do not wait for revocations: grants that are left live on at their vendors
 * @throws {NotFound}
 */
export async function deleteOrganization(
  deps: OrganizationDeletionDeps,
  organizationId: string,
  { shredNow }: { readonly shredNow: boolean },
): Promise<OrganizationDeletion> {
  const organization = await begin(deps, organizationId);
  for await (const some of instancesOf(deps.instances, organizationId)) {
    await Promise.all(some.filter(({ deleting }) => deleting !== true).map(({ id }) => deps.revoke(id)));
  }
  const pendings: PendingSignIn[] = [];
  for await (const pending of pendingsOf(deps.pendings, organizationId)) {
    if (pending.endingSince === undefined) await deps.endPending(pending);
    pendings.push(pending);
  }
  const left: Instance[] = [];
  for await (const some of instancesOf(deps.instances, organizationId)) left.push(...some);
  const records: string[] = [];
  for await (const { key } of rescueRecordsOf(deps.rescue, organizationId)) records.push(key);

  const now = deps.now();
  const shreddedFrom = organization.deletingSince + UNDER_WAY_MS;
  const givenUpFrom = organization.deletingSince + timing.revocationMs;
  const isNothingLeft = left.length === 0 && pendings.length === 0 && records.length === 0;
  const isDone = isNothingLeft && now >= shreddedFrom;
  const shreds = isDone || shredNow || now >= givenUpFrom || organization.dataKeys.length === 0;
  if (shreds) await shred(deps, organization, left, pendings, records);
  return {
    state: shreds ? "shredded" : "revoking",
    left,
    pendings: pendings.length,
    rescueRecords: records.length,
    shreddedFrom,
    givenUpFrom,
  };
}

/** Suspended and marked, from the first run on. */
async function begin(
  { records, now }: OrganizationDeletionDeps,
  id: string,
): Promise<Organization & { readonly deletingSince: number }> {
  const found = await records.organization(id);
  if (found === undefined) throw new NotFound(`there is no organization ${id}`);
  const deletingSince = found.deletingSince ?? now();
  if (found.deletingSince === undefined || found.status !== "suspended") {
    await records.updateOrganization(id, { status: "suspended", deletingSince });
  }
  return { ...found, status: "suspended", deletingSince };
}

async function shred(
  { records, instances, pendings, rescue }: OrganizationDeletionDeps,
  { id, dataKeys }: Organization,
  left: readonly Instance[],
  leftPending: readonly PendingSignIn[],
  recordKeys: readonly string[],
): Promise<void> {
  if (!(await records.replaceDataKeys(id, dataKeys, []))) {
    throw new Error(`the data keys of organization ${id} changed meanwhile; run the command again`);
  }
  for (const instance of left) await instances.remove(instance.id);
  for (const pending of leftPending) await pendings.remove(pending);
  // The rescue worker could never open them again, and would try for ever.
  for (const key of recordKeys) await rescue.remove(key);
  await records.removeOrganization(id);
}
