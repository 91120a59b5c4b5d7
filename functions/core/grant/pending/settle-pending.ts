import type { Connector } from "../../../connectors/define-connector.ts";
import type { Instance } from "../../instances/instance.ts";
import type { PendingKey, PendingSignIn } from "../../instances/pending-sign-in.ts";
import { present } from "../../present.ts";
import { announce } from "../announce.ts";
import { connectorOf } from "../connector-of.ts";
import type { Call, WorkerParts } from "../grant-deps.ts";
import { isShared } from "../revocation/delete-instance.ts";
import { openUnlessBroken, revokeOrphanOrDefer } from "../revocation/revoke-orphan.ts";
import { endsInRevocation } from "../revocation/unwelcome.ts";
import { consentKey } from "../store/consent.ts";
import { pendingVersion } from "../store/sealed-pending.ts";
import { latestNow, revocationWait } from "../timing.ts";
import { isMadeFrom, writeClaimed } from "./write-claimed.ts";

/**
 * What the worker does with a pending sign-in, any number of times: what was claimed goes live, should the one who claimed it
 * have died; what was refused, overtaken or has run out is revoked; then the item goes.
 * @throws what could not be done comes again
 */
export async function settlePending(parts: WorkerParts, key: PendingKey, call: Call): Promise<void> {
  const { value: pending, reading } = await parts.pendings.get(key);
  if (pending === undefined) return;
  const now = latestNow(reading, parts.monotonic());
  const { endingSince } = pending;
  if (endingSince !== undefined) return await end(parts, { ...pending, endingSince }, now, call);
  if (pending.claimedAt !== undefined) {
    const { kind } = await writeClaimed(parts, pending, now, call);
    if (kind === "written") return await removeInTime(parts, pending, now);
    await parts.pendings.markEnding(pending, now, true);
    return await end(parts, { ...pending, endingSince: now }, now, call);
  }
  const { value: instance } = await parts.instances.get(pending.instanceId);
  if (now < pending.endsAt && !isHopeless(instance, pending)) {
    await parts.pendings.push(pending, pending.endsAt);
    return;
  }
  // Refused: it was claimed just now, and is due for that.
  if (!(await parts.pendings.markEnding(pending, now))) return;
  await end(parts, { ...pending, endingSince: now }, now, call);
}

/**
 * DELETE ends the instance's pending sign-ins too. Before the instance's own item goes, for a mark on what was claimed keeps a
 * process that is late from making the instance anew (write-claimed.ts).
 */
export async function endPendingsOf(
  parts: WorkerParts,
  { id }: Pick<Instance, "id">,
  now: number,
  call: Call,
): Promise<void> {
  for (const pending of await parts.pendings.ofInstance(id)) {
    const { endingSince = now } = pending;
    if (pending.endingSince === undefined) await parts.pendings.markEnding(pending, now, true);
    await end(parts, { ...pending, endingSince }, now, call);
  }
}

/** A claim could only lose. */
function isHopeless(instance: Instance | undefined, pending: PendingSignIn): boolean {
  if (pending.newInstance !== undefined) return false;
  return instance === undefined || instance.deleting === true || instance.epoch > pending.epoch;
}

type Ending = PendingSignIn & { readonly endingSince: number };

async function end(parts: WorkerParts, pending: Ending, now: number, call: Call): Promise<void> {
  const lastWriteAt = lastWriteOf(parts, pending);
  if (now < lastWriteAt) return void (await parts.pendings.push(pending, lastWriteAt));
  const { value: instance } = await parts.instances.get(pending.instanceId);
  if (!isLive(instance, pending)) {
    const later = await endGrant(parts, pending, now, call);
    if (later !== undefined) return void (await parts.pendings.push(pending, later));
  }
  await parts.pendings.remove(pending);
}

/** Its grant is the instance's: a record of it that came home twice. */
function isLive(instance: Instance | undefined, pending: PendingSignIn): boolean {
  if (instance === undefined || instance.deleting === true) return false;
  if (pending.newInstance !== undefined) return isMadeFrom(instance, pending);
  return instance.epoch === pending.epoch;
}

async function removeInTime(parts: WorkerParts, pending: PendingSignIn, now: number): Promise<void> {
  const lastWriteAt = lastWriteOf(parts, pending);
  if (now < lastWriteAt) await parts.pendings.push(pending, lastWriteAt);
  else await parts.pendings.remove(pending);
}

/** From then on no process that has read its mark of a claim can still write what it holds. */
function lastWriteOf(parts: WorkerParts, { claimedAt }: PendingSignIn): number {
  return claimedAt === undefined ? 0 : claimedAt + parts.timing.claimedMs;
}

/** @returns store time at which to try again; `undefined`: nothing is left to do */
async function endGrant(
  parts: WorkerParts,
  pending: Ending,
  now: number,
  call: Call,
): Promise<number | undefined> {
  const connector = connectorOf(parts, pending.connector);
  const ends = connector.oauth2.revocation?.ends;
  if (ends === undefined) return undefined;
  return ends === "token"
    ? await endToken(parts, pending, call)
    : await endConsent(parts, connector, pending, now, call);
}

async function endToken(parts: WorkerParts, pending: Ending, call: Call): Promise<undefined> {
  const owner = ownerOf(pending);
  const grant = await openUnlessBroken(parts, owner, pendingVersion(pending), pending.grant);
  if (grant === undefined) return void count(parts, pending, "lost");
  const record = endsInRevocation(owner, {
    grant,
    sealer: parts.vault,
    epoch: pending.epoch,
    at: pending.at,
  });
  if ((await revokeOrphanOrDefer(parts, call, owner, grant, record)) === "revoked")
    count(parts, pending, "revoked");
  return undefined;
}

/**
 * Where revocation ends the whole consent, it ends as a deleted instance does: only when no other one hangs on it, the instance
 * that was signed in to again among them, and only once the index can show them.
 */
async function endConsent(
  parts: WorkerParts,
  connector: Connector,
  pending: Ending,
  now: number,
  call: Call,
): Promise<number | undefined> {
  const { timing } = parts;
  const { endingSince, sessionId, epoch } = pending;
  if (now < endingSince + timing.indexMs) return endingSince + timing.indexMs;
  const goesOnFor = now - endingSince;
  const later = now + revocationWait(timing, goesOnFor);
  const owner = ownerOf(pending);
  const version = pendingVersion(pending);
  const { grant: sealed, refreshGroup, account } = pending;
  // Its own key went from the index with the mark of its end.
  const consent = consentKey(connector, refreshGroup, account);
  const holder = { ...owner, refreshGroup, ...present({ consentKey: consent }) };
  const shared = await isShared(parts, connector, {
    ...holder,
    version,
    grant: sealed,
    pending: { sessionId, epoch },
  });
  if (shared === true) return undefined;
  if (shared === "unclear") return goesOnFor < timing.consentMs ? later : undefined;
  const grant = await openUnlessBroken(parts, owner, version, pending.grant);
  if (grant !== undefined) {
    const client = await parts.clients.resolve(owner.organizationId, connector.key, grant.client);
    if (await parts.tokens.revoke(connector, client, grant)) return void count(parts, pending, "revoked");
    if (goesOnFor < timing.revocationMs) return later;
  }
  count(parts, pending, "lost");
  announce(
    parts,
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
  parts: WorkerParts,
  { connector, instanceId }: PendingSignIn,
  outcome: "revoked" | "lost",
): void {
  parts.outcome({ outcome, connector, instanceId, cause: "forced" });
}
