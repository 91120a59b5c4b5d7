import type { Connector } from "../../../connectors/define-connector.ts";
import type { Instance } from "../../instances/instance.ts";
import type { PendingKey } from "../../instances/pending-sign-in.ts";
import { announce } from "../announce.ts";
import { connectorOf } from "../connector-of.ts";
import type { Call, GrantDeps, SignInDeps, WorkerDeps } from "../grant-deps.ts";
import { lookUpAccount } from "../store/account.ts";
import { consentKey, provenKey, unprovenKey } from "../store/consent.ts";
import { isEmptied } from "../store/death.ts";
import { openGrant } from "../store/sealed-grant.ts";
import { latestNow, revocationWait } from "../timing.ts";

/**
 * DELETE, step 1: the instance token is dead from here; a worker does the rest, now or when the sweep finds it.
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
  // Only the first of several deletes hands it over: each message would be a revocation more.
  if (!(await deps.instances.markDeleting(instanceId, reading.dateMs, "first"))) {
    const { value: found } = await deps.instances.get(instanceId);
    return found?.deleting === true;
  }
  // Lost: it lies on the due index.
  await deps.enqueueDeletion(instance).catch(() => {});
  return true;
}

/**
 * DELETE, steps 2 and 3, by a worker, any number of times: revokes what the vendor lets us revoke without harm to others,
 * then deletes the item. A revocation that fails is tried again for 7 days, one that might harm others for an hour.
 * One worker at a time, whatever number of deletes and messages there are: a vendor counts each revocation.
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
  if (now < certainAt) return void (await deps.instances.pushDeletion(instanceId, certainAt));
  if (!(await claim(deps, instance, now))) return;
  // A first exchange whose record still lies in the bucket would bring the item back: the rescue worker clears it away.
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
  const removed = await deps.instances.remove(instanceId);
  const { connector } = instance;
  if (ended === "revoked") deps.outcome({ outcome: "revoked", connector, instanceId, cause: "forced" });
  if (ended === "failed") deps.outcome({ outcome: "lost", connector, instanceId, cause: "forced" });
  if (!removed) return;
  if (ended === "failed")
    announce(deps, call, instance, { name: "instance.revocation_failed", at: now, of: "delete" });
  announce(deps, call, instance, { name: "instance.deleted", at: now, of: "delete" });
}

/** An instance or a pending sign-in that is to end, and that shares a consent. */
export interface ConsentHolder
  extends Pick<Instance, "id" | "organizationId" | "refreshGroup" | "consentKey" | "grant"> {
  /** That the grant is sealed for. */
  readonly version: number | string;
  readonly pending?: Pick<PendingKey, "sessionId" | "epoch">;
  readonly configuration?: Instance["configuration"];
}

/** Whether this worker may go on. One that may not leaves it be: the due index brings the deletion back. */
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
  // Each for itself: one whose client is gone does not keep the others from ending.
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
 * Where revocation ends the user's whole grant, siblings are asked for only when the index has had the time to show those that
 * came, or were marked for deletion, just before: an app that connects a user again and then deletes the old instance must not
 * lose both; a user's two instances that are deleted at once must not spare their grant for each other.
 */
function siblingsAreCertainAt(deps: WorkerDeps, instance: Instance): number {
  if (connectorOf(deps, instance.connector).oauth2.revocation?.ends !== "grant") return 0;
  return (instance.deletingSince ?? 0) + deps.timing.indexMs;
}

/**
 * Whether another living instance shares the consent: same connector and client, in whichever organization (in its own
 * only, where the vendor has never accepted that one's client), and not known to be of another account. Where either account is
 * not known it may be found out soon: each is asked for again. If still unknown, keeps the consent rather than break a connection.
 */
export async function isShared(
  deps: WorkerDeps,
  connector: Connector,
  holder: ConsentHolder,
): Promise<boolean | "unclear"> {
  const unknown = consentKey(connector, holder.refreshGroup);
  const own = await consentOf(deps, connector, holder, unknown);
  if (unknown === undefined || own === undefined) return "unclear";
  const hasSibling = (key: string) =>
    deps.instances.hasSibling(holder.id, key, unprovenKey(key, holder.organizationId), holder.pending);
  // In this order: a sibling whose account is noted between the two goes from the first to the second.
  const maybe = await hasSibling(unknown);
  if (own === unknown) return maybe;
  if (await hasSibling(own)) return true;
  return maybe && "unclear";
}

/** Its account may not have been noted: it is asked for once more. @returns undefined: any instance of the client may be a sibling */
async function consentOf(
  deps: WorkerDeps,
  connector: Connector,
  holder: ConsentHolder,
  unknown: string | undefined,
): Promise<string | undefined> {
  const key = holder.consentKey === undefined ? undefined : provenKey(holder.consentKey);
  // Where the vendor never tells the account, the accounts of all the client's instances are unknown.
  if (key !== unknown || connector.account === undefined) return key;
  try {
    const grant = await openGrant(deps.vault, holder, holder.version, holder.grant);
    const account = await lookUpAccount(deps, connector, grant, holder.configuration ?? {});
    return account === undefined ? undefined : consentKey(connector, holder.refreshGroup, account);
  } catch {
    return undefined;
  }
}

/**
 * Waits a quarter of the time that it has been failing for, between a minute and an hour. Nothing is overdue meanwhile: the
 * instance token is dead, and what cannot be revoked within 7 days is counted as lost.
 */
async function tryLater(deps: GrantDeps, instance: Instance, now: number): Promise<void> {
  const failingFor = now - (instance.deletingSince ?? now);
  await deps.instances.pushDeletion(instance.id, now + revocationWait(deps.timing, failingFor));
}
