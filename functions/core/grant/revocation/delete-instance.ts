import type { Connector } from "../../../connectors/define-connector.ts";
import type { Instance } from "../../instances/instance.ts";
import { announce } from "../announce.ts";
import { connectorOf } from "../connector-of.ts";
import { isShared, siblingsAreCertainAt } from "../consent/siblings.ts";
import type { Call, GrantDeps, SignInDeps, WorkerDeps } from "../grant-deps.ts";
import { isEmptied } from "../store/death.ts";
import { openGrant } from "../store/sealed-grant.ts";
import { latestNow, revocationWait } from "../timing.ts";

/**
 * DELETE, step 1: the instance token is invalid from here on. A worker does the rest, now or when the sweep
 * finds the instance.
 * @returns false: there is no such instance
 */
export async function markForDeletion(
  deps: Pick<SignInDeps, "enqueueDeletion"> & {
    readonly instances: Pick<GrantDeps["instances"], "get" | "markDeleting">;
  },
  instanceId: number,
): Promise<boolean> {
  const { value: instance, reading } = await deps.instances.get(instanceId);
  if (instance === undefined) return false;
  // Only the first of several deletes queues the deletion, because each message would cause another revocation.
  if (!(await deps.instances.markDeleting(instanceId, reading.dateMs, "first"))) {
    const { value: found } = await deps.instances.get(instanceId);
    return found?.deleting === true;
  }
  // If the message is lost, the sweep finds the instance on the due index.
  await deps.enqueueDeletion(instance).catch(() => {});
  return true;
}

/**
 * DELETE, steps 2 and 3, in a worker; may be repeated. Revokes what the vendor lets us revoke without harm to
 * others, then deletes the item. A failed revocation is retried for 7 days. If it is unclear whether other
 * instances share the consent, this is checked again for an hour. One worker at a time, even with many deletes
 * and messages, because a vendor counts each revocation.
 */
export async function finishDeletion(
  deps: WorkerDeps,
  instanceId: number,
  call: Pick<Call, "afterAnswer">,
): Promise<void> {
  const { value: instance, reading } = await deps.instances.get(instanceId);
  if (instance?.deleting !== true) return;
  const now = latestNow(reading, deps.monotonic());
  const certainAt = siblingsAreCertainAt(deps, instance);
  if (now < certainAt) return void (await deps.instances.setDeletionDueAt(instanceId, certainAt));
  if (!(await claim(deps, instance, now))) return;
  // A first exchange whose record is still in the bucket would create the item again: the rescue worker removes
  // the record first.
  const unborn = await deps.rescue.read(`rescue/${instanceId}/new`);
  if (unborn !== undefined) return await tryLater(deps, instance, now);
  const ended = await revokeStored(deps, instance);
  const goesOnFor = now - (instance.deletingSince ?? now);
  const patience = {
    failed: deps.timing.revocationMs,
    unclear: deps.timing.consentMs,
    revoked: 0,
    spared: 0,
  };
  if (goesOnFor < patience[ended]) return await tryLater(deps, instance, now);
  if (instance.keepsDetails) await deps.instances.removeDetails(instanceId);
  const removed = await deps.instances.remove(instanceId);
  const { connector } = instance;
  if (ended === "revoked") deps.outcome({ outcome: "revoked", connector, instanceId, cause: "forced" });
  if (ended === "failed") deps.outcome({ outcome: "lost", connector, instanceId, cause: "forced" });
  if (!removed) return;
  if (ended === "failed")
    announce(deps, call, instance, { name: "instance.revocation_failed", at: now, of: "delete" });
  announce(deps, call, instance, { name: "instance.deleted", at: now, of: "delete" });
}

/** Whether this worker may continue. If not, it stops; the sweep queues the deletion again. */
async function claim(deps: WorkerDeps, { id, deletionUntil }: Instance, now: number): Promise<boolean> {
  if (deletionUntil !== undefined && deletionUntil > now) return false;
  const seen = deletionUntil === undefined ? {} : { deletionUntil };
  return await deps.instances.claimDeletion(id, seen, now + deps.timing.deletionMs);
}

async function revokeStored(
  deps: WorkerDeps,
  instance: Instance,
): Promise<"revoked" | "spared" | "unclear" | "failed"> {
  const connector = connectorOf(deps, instance.connector);
  const ends = connector.oauth2.revocation?.ends;
  if (ends === undefined) return "spared";
  const shared = ends === "grant" ? await isShared(deps, connector, instance) : false;
  if (shared !== false) return shared === true ? "spared" : "unclear";
  let ended = true;
  // Each grant is tried: if the client of one cannot be resolved, the others still end.
  for (const each of [instance, ...(instance.replacedGrants ?? [])])
    ended = (await isEnded(deps, connector, instance, each)) && ended;
  return ended ? "revoked" : "failed";
}

async function isEnded(
  deps: WorkerDeps,
  connector: Connector,
  instance: Instance,
  { version, grant: sealed }: Pick<Instance, "version" | "grant">,
): Promise<boolean> {
  try {
    const grant = await openGrant(deps.vault, instance, version, sealed);
    if (isEmptied(grant)) return true;
    const client = await deps.clients.resolve(instance.organizationId, connector.key, grant.client);
    return await deps.tokens.revoke(connector, client, grant);
  } catch {
    return false;
  }
}

/**
 * Waits a quarter of the time for which the revocation has failed, between a minute and an hour. The wait does
 * no harm: the instance token is invalid, and a grant that cannot be revoked within 7 days is counted as lost.
 */
async function tryLater(deps: GrantDeps, instance: Instance, now: number): Promise<void> {
  const failingFor = now - (instance.deletingSince ?? now);
  await deps.instances.setDeletionDueAt(instance.id, now + revocationWait(deps.timing, failingFor));
}
