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
 * A first exchange may still be under way after the suspension: the function that makes instances lives for 2
 * minutes and sees the suspension within 30 s. The key is not shredded before this time, so that such a grant
 * can be revoked.
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
  /**
   * Invalidates an instance's token and has a worker revoke its grant (grant/revocation/delete-instance.ts).
   * `false`: the instance does not exist any more.
   */
  readonly revoke: (instanceId: number) => Promise<boolean>;
  /** The same for a pending sign-in (grant/store/end-soon.ts). `false`: it was claimed before. */
  readonly endPending: (pending: PendingSignIn) => Promise<boolean>;
  /** The store's time, epoch milliseconds. */
  readonly now: () => number;
}

export interface OrganizationDeletion {
  /**
   * `revoking`: run the command again later. `shredded`: nothing of the organization is left, and no key opens
   * what remains elsewhere.
   */
  readonly state: "revoking" | "shredded";
  /**
   * Instances whose grants are not revoked yet. After the shredding: instances that were given up; their grants
   * live on at the vendors.
   */
  readonly left: readonly Instance[];
  /** Number of pending sign-ins whose grants are not revoked yet (after the shredding: that were given up). */
  readonly pendings: number;
  /** The same number for grants in the rescue bucket. */
  readonly rescueRecords: number;
  /**
   * Store time from which a run shreds the key if nothing is left (`shreddedFrom`), and even if something is left
   * (`givenUpFrom`).
   */
  readonly shreddedFrom: number;
  readonly givenUpFrom: number;
}

/**
 * Deletes an organization, in as many runs as needed. Suspends it and has every instance revoked at its vendor,
 * as the kill switch does. When no instance is left (or after 7 days, or at once if the operator says so),
 * shreds its data key and deletes its items. After the first run the deletion cannot be undone.
 *
 * The key is shredded first: after that, nothing that is left anywhere can be opened, even if the run fails
 * later. The organization's item is deleted last, so that an interrupted run can be repeated.
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

/** Suspends the organization and marks it as being deleted, unless an earlier run has. */
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
  for (const { id: instanceId, keepsDetails } of left) {
    if (keepsDetails) await instances.removeDetails(instanceId);
    await instances.remove(instanceId);
  }
  for (const pending of leftPending) await pendings.remove(pending);
  // Without the key, the rescue worker could never open these records.
  for (const key of recordKeys) await rescue.remove(key);
  await records.removeOrganization(id);
}
