import type { Connector } from "../../../connectors/define-connector.ts";
import type { Instance } from "../../instances/instance.ts";
import type { PendingKey, PendingSignIn } from "../../instances/pending-sign-in.ts";
import { present } from "../../present.ts";
import { announce } from "../announce.ts";
import { connectorOf } from "../connector-of.ts";
import { consentKey } from "../consent/key.ts";
import { isShared } from "../consent/siblings.ts";
import type { Call, WorkerDeps } from "../grant-deps.ts";
import { openUnlessBroken, revokeOrphanOrDefer } from "../revocation/revoke-orphan.ts";
import { revocationOnlyRecord } from "../revocation/unwelcome.ts";
import { pendingVersion } from "../store/sealed-pending.ts";
import { latestNow, revocationWait } from "../timing.ts";
import { isMadeFrom, writeClaimed } from "./write-claimed.ts";

/**
 * Completes a pending sign-in, in the worker; may be repeated. Writes a claimed sign-in to its instance, if the
 * claiming process crashed before its write. Revokes the grant of a sign-in that was refused, overtaken or has
 * expired. Then deletes the item.
 * @throws the step failed: the message is delivered again
 */
export async function settlePending(deps: WorkerDeps, key: PendingKey, call: Call): Promise<void> {
  const { value: pending, reading } = await deps.pendings.get(key);
  if (pending === undefined) return;
  const now = latestNow(reading, deps.monotonic());
  const { endingSince } = pending;
  if (endingSince !== undefined) return await end(deps, { ...pending, endingSince }, now, call);
  if (pending.claimedAt !== undefined) {
    const { kind } = await writeClaimed(deps, pending, now, call);
    if (kind === "written") return await removeInTime(deps, pending, now);
    await deps.pendings.markEnding(pending, now, true);
    return await end(deps, { ...pending, endingSince: now }, now, call);
  }
  const { value: instance } = await deps.instances.get(pending.instanceId);
  if (now < pending.endsAt && !isHopeless(instance, pending)) {
    await deps.pendings.setDueAt(pending, pending.endsAt);
    return;
  }
  // `false`: the sign-in was claimed just now, and the claim has set its own due time.
  if (!(await deps.pendings.markEnding(pending, now))) return;
  await end(deps, { ...pending, endingSince: now }, now, call);
}

/**
 * DELETE ends the instance's pending sign-ins too. This happens before the instance's own item is deleted: the
 * mark on a claimed sign-in keeps a late process from creating the instance again (write-claimed.ts).
 */
export async function endPendingsOf(
  deps: WorkerDeps,
  { id }: Pick<Instance, "id">,
  now: number,
  call: Call,
): Promise<void> {
  for (const pending of await deps.pendings.ofInstance(id)) {
    const { endingSince = now } = pending;
    if (pending.endingSince === undefined) await deps.pendings.markEnding(pending, now, true);
    await end(deps, { ...pending, endingSince }, now, call);
  }
}

/** Whether a claim of this sign-in must fail: the instance is deleted, being deleted, or has a later sign-in. */
function isHopeless(instance: Instance | undefined, pending: PendingSignIn): boolean {
  if (pending.newInstance !== undefined) return false;
  return instance === undefined || instance.deleting === true || instance.epoch > pending.epoch;
}

type Ending = PendingSignIn & { readonly endingSince: number };

async function end(deps: WorkerDeps, pending: Ending, now: number, call: Call): Promise<void> {
  const lastWriteAt = lastWriteOf(deps, pending);
  if (now < lastWriteAt) return void (await deps.pendings.setDueAt(pending, lastWriteAt));
  const { value: instance } = await deps.instances.get(pending.instanceId);
  if (!isLive(instance, pending)) {
    const later = await endGrant(deps, pending, now, call);
    if (later !== undefined) return void (await deps.pendings.setDueAt(pending, later));
  }
  await deps.pendings.remove(pending);
}

/**
 * Whether the instance already uses this grant. This happens when the rescue record was moved to the table a
 * second time.
 */
function isLive(instance: Instance | undefined, pending: PendingSignIn): boolean {
  if (instance === undefined || instance.deleting === true) return false;
  if (pending.newInstance !== undefined) return isMadeFrom(instance, pending);
  return instance.epoch === pending.epoch;
}

async function removeInTime(deps: WorkerDeps, pending: PendingSignIn, now: number): Promise<void> {
  const lastWriteAt = lastWriteOf(deps, pending);
  if (now < lastWriteAt) await deps.pendings.setDueAt(pending, lastWriteAt);
  else await deps.pendings.remove(pending);
}

/** Store time after which no process that saw the claim can still write its grant. */
function lastWriteOf(deps: WorkerDeps, { claimedAt }: PendingSignIn): number {
  return claimedAt === undefined ? 0 : claimedAt + deps.timing.claimedMs;
}

/** @returns store time at which to try again; `undefined`: nothing is left to do */
async function endGrant(
  deps: WorkerDeps,
  pending: Ending,
  now: number,
  call: Call,
): Promise<number | undefined> {
  const connector = connectorOf(deps, pending.connector);
  const ends = connector.oauth2.revocation?.ends;
  if (ends === undefined) return undefined;
  return ends === "token"
    ? await endToken(deps, pending, call)
    : await endConsent(deps, connector, pending, now, call);
}

async function endToken(deps: WorkerDeps, pending: Ending, call: Call): Promise<undefined> {
  const owner = ownerOf(pending);
  const grant = await openUnlessBroken(deps, owner, pendingVersion(pending), pending.grant);
  if (grant === undefined) return void count(deps, pending, "lost");
  const record = revocationOnlyRecord(owner, {
    grant,
    sealer: deps.vault,
    epoch: pending.epoch,
    at: pending.at,
  });
  if ((await revokeOrphanOrDefer(deps, call, owner, grant, record)) === "revoked")
    count(deps, pending, "revoked");
  return undefined;
}

/**
 * Where revocation ends the whole consent, the grant is revoked only if no other instance shares the consent
 * (the instance of this sign-in counts too), and only after the index shows the latest writes. The same rule
 * applies to a deleted instance.
 */
async function endConsent(
  deps: WorkerDeps,
  connector: Connector,
  pending: Ending,
  now: number,
  call: Call,
): Promise<number | undefined> {
  const { timing } = deps;
  const { endingSince, sessionId, epoch } = pending;
  if (now < endingSince + timing.indexMs) return endingSince + timing.indexMs;
  const goesOnFor = now - endingSince;
  const later = now + revocationWait(timing, goesOnFor);
  const owner = ownerOf(pending);
  const version = pendingVersion(pending);
  const { grant: sealed, refreshGroup, account } = pending;
  // The item's own `consentKey` was removed when it was marked as ending, so the key is computed again.
  const consent = consentKey(connector, refreshGroup, account);
  const holder = { ...owner, refreshGroup, ...present({ consentKey: consent }) };
  const shared = await isShared(deps, connector, {
    ...holder,
    version,
    grant: sealed,
    pending: { sessionId, epoch },
  });
  if (shared === true) return undefined;
  if (shared === "unclear") return goesOnFor < timing.consentMs ? later : undefined;
  const grant = await openUnlessBroken(deps, owner, version, pending.grant);
  if (grant !== undefined) {
    const client = await deps.clients.resolve(owner.organizationId, connector.key, grant.client);
    if (await deps.tokens.revoke(connector, client, grant)) return void count(deps, pending, "revoked");
    if (goesOnFor < timing.revocationMs) return later;
  }
  count(deps, pending, "lost");
  announce(
    deps,
    call,
    { ...owner, userId: pending.userId },
    { name: "instance.revocation_failed", at: now, of: version },
  );
  return undefined;
}

function ownerOf({ instanceId: id, organizationId, connector }: PendingSignIn) {
  return { id, organizationId, connector };
}

function count(
  deps: WorkerDeps,
  { connector, instanceId }: PendingSignIn,
  outcome: "revoked" | "lost",
): void {
  deps.outcome({ outcome, connector, instanceId, cause: "forced" });
}
