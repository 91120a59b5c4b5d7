import { withoutUndeclared } from "../../instances/fit-grant.ts";
import type { Instance } from "../../instances/instance.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import { present } from "../../present.ts";
import { announce } from "../announce.ts";
import { connectorOf } from "../connector-of.ts";
import type { Call, WorkerDeps } from "../grant-deps.ts";
import { openUnlessBroken, revokeRecorded } from "../revocation/revoke-orphan.ts";
import { sealGrant } from "../store/sealed-grant.ts";
import { pendingVersion } from "../store/sealed-pending.ts";
import { latestNow } from "../timing.ts";
import type { UnreadableRecord } from "./unreadable-record.ts";

/** Why a record ends without being written to the table. */
export type RecordEnd = "store_refused" | "record_too_old";

/** The vendor did not take a revocation that a record asks for: the record stays for a later sweep. */
export class RevocationOwed extends Error {
  constructor(instanceId: number) {
    super(`a revocation for instance ${instanceId} was not taken yet by the vendor`);
    this.name = "RevocationOwed";
  }
}

/** The instance that a record's grant belongs to, and the time of the grant. */
export function subjectOf(
  record: RescueRecord,
): Pick<Instance, "id" | "organizationId" | "connector"> & { readonly at: number } {
  if (record.kind === "new") {
    const { id, organizationId, connector, createdAt: at } = record.instance;
    return { id, organizationId, connector, at };
  }
  if (record.kind === "pending") {
    const { instanceId: id, organizationId, connector, at } = record.pending;
    return { id, organizationId, connector, at };
  }
  const { instanceId: id, organizationId, connector } = record;
  return { id, organizationId, connector, at: record.kind === "refresh" ? record.refreshedAt : record.at };
}

/** The record's grant, and the version that the grant is sealed for. */
function grantIn(record: RescueRecord): { grant: Uint8Array; version: number | string } {
  switch (record.kind) {
    case "refresh":
      return { grant: record.grant, version: record.fence };
    case "sign-in":
      return { grant: record.grant, version: `signin-${record.epoch}` };
    case "new":
      return { grant: record.instance.grant, version: record.instance.version };
    case "pending":
      return { grant: record.pending.grant, version: pendingVersion(record.pending) };
  }
}

/**
 * The same record, with a grant reduced to what its connector declares. `undefined`: there is nothing to
 * remove, or the grant cannot be opened.
 * @throws the key service does not answer
 */
export async function smallerRecord(
  deps: WorkerDeps,
  record: RescueRecord,
): Promise<RescueRecord | undefined> {
  const owner = subjectOf(record);
  const { grant, version } = grantIn(record);
  const opened = await openUnlessBroken(deps, owner, version, grant);
  if (opened === undefined) return undefined;
  const smaller = withoutUndeclared(connectorOf(deps, owner.connector), opened);
  if (smaller === undefined) return undefined;
  const sealer = await deps.vault.prepare(owner.organizationId);
  const sealed = await sealGrant(sealer, owner, version, smaller);
  if (record.kind === "new") return { ...record, instance: { ...record.instance, grant: sealed } };
  if (record.kind === "pending") return { ...record, pending: { ...record.pending, grant: sealed } };
  return { ...record, grant: sealed };
}

/**
 * Ends the grant of a record that will never be written: revokes it if the vendor revokes single tokens.
 * @returns whether the vendor took the revocation; `false` only after revocation was tried for its full time
 * @throws {RevocationOwed} not revoked yet: the record stays
 */
export async function endRecord(deps: WorkerDeps, record: RescueRecord): Promise<boolean> {
  const owner = subjectOf(record);
  const { grant, version } = grantIn(record);
  // A missing connector or a failing key service counts as "not revoked yet", and after 7 days as given up.
  if (await revokeRecorded(deps, owner, version, grant).catch(() => false)) return true;
  if (!(await isPastItsEnd(deps, owner.id, owner.at))) throw new RevocationOwed(owner.id);
  return false;
}

/** Sends the events about the end of a record's grant; for a new connection also that the instance will not exist. */
export async function tellEnd(
  deps: WorkerDeps,
  call: Pick<Call, "afterAnswer">,
  key: string,
  record: RescueRecord,
  ended: { readonly why?: RecordEnd; readonly revoked: boolean },
): Promise<void> {
  const subject = subjectOf(record);
  const { value, reading } = await deps.instances.get(subject.id);
  const at = latestNow(reading, deps.monotonic());
  const userId = userOf(record) ?? value?.userId;
  const owner = { ...subject, ...present({ userId }) };
  const tell = (name: "instance.grant_lost" | "instance.revocation_failed" | "instance.deleted") =>
    announce(deps, call, owner, {
      name,
      at,
      of: key,
      ...(name === "instance.grant_lost" && ended.why !== undefined ? { reason: ended.why } : {}),
    });
  if (ended.why !== undefined) tell("instance.grant_lost");
  if (!ended.revoked) tell("instance.revocation_failed");
  if (ended.why !== undefined && record.kind === "new" && value === undefined) tell("instance.deleted");
}

function userOf(record: RescueRecord): string | undefined {
  if (record.kind === "new") return record.instance.userId;
  return record.kind === "pending" ? record.pending.userId : undefined;
}

/**
 * Whether 7 days have passed since `at`, by the store's time.
 * @throws the table, whose answers contain the time, does not answer
 */
export async function isPastItsEnd(
  deps: Pick<WorkerDeps, "instances" | "monotonic" | "timing">,
  instanceId: number,
  at: number,
): Promise<boolean> {
  const { reading } = await deps.instances.get(instanceId);
  return latestNow(reading, deps.monotonic()) - at >= deps.timing.revocationMs;
}

/**
 * Ends a record that cannot be read like any other record, though its grant cannot be revoked.
 * @throws {UnreadableRecord} too early: a newer version of this function may be able to read it
 */
export async function endUnreadable(
  deps: WorkerDeps,
  key: string,
  unreadable: UnreadableRecord,
): Promise<void> {
  const instanceId = Number(/^rescue\/(\d+)\//.exec(key)?.[1] ?? 0);
  const { writtenAt } = unreadable;
  if (writtenAt === undefined || !(await isPastItsEnd(deps, instanceId, writtenAt))) throw unreadable;
  await deps.rescue.remove(key);
  deps.outcome({
    outcome: "lost",
    connector: "unknown",
    instanceId,
    cause: "rescue",
    reason: "record_unreadable",
  });
}
