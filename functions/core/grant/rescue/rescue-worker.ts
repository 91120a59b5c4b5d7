import type { Instance } from "../../instances/instance.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import { present } from "../../present.ts";
import { StoreRefused } from "../../store-refused.ts";
import { connectorOf } from "../connector-of.ts";
import { noteAccount } from "../consent/account.ts";
import type { Call, GrantOutcome, WorkerDeps } from "../grant-deps.ts";
import { openUnlessBroken, revokeOrphan, revokeRecorded } from "../revocation/revoke-orphan.ts";
import { afterSignIn } from "../sign-in/after-sign-in.ts";
import { createOrFind } from "../sign-in/first-exchange.ts";
import { writeSignIn } from "../sign-in/write-sign-in.ts";
import { commit } from "../store/commit.ts";
import { openGrant } from "../store/sealed-grant.ts";
import {
  endRecord,
  endUnreadable,
  isPastItsEnd,
  type RecordEnd,
  RevocationOwed,
  smallerRecord,
  subjectOf,
  tellEnd,
} from "./end-record.ts";
import { UnreadableRecord } from "./unreadable-record.ts";

export { RevocationOwed } from "./end-record.ts";

/**
 * RESCUE WORKER: completes a rescue record; may be repeated. Writes the record's grant to the table, then does
 * any revocation that is needed, then deletes the record. Nothing else deletes records. Each record has an end:
 * a record that the table refuses for good ends at once, any other when it is 7 days old.
 * @throws a step failed: the record stays, and a later sweep queues it again
 */
export async function settleRescueRecord(deps: WorkerDeps, key: string, call: Call): Promise<void> {
  let record: RescueRecord | undefined;
  try {
    record = await deps.rescue.read(key);
  } catch (error) {
    if (error instanceof UnreadableRecord) return await endUnreadable(deps, key, error);
    throw error;
  }
  if (record === undefined) return;
  const { done, why, revoked = true } = await settleOrEnd(deps, key, record, call);
  // Before the record is deleted, so that a repeated run can send the events again.
  if (why !== undefined || !revoked) await tellEnd(deps, call, key, record, { revoked, ...present({ why }) });
  await deps.rescue.remove(key);
  const { id: instanceId, connector } = subjectOf(record);
  if (done === "nothing") return;
  const reason = why === undefined ? {} : { reason: why };
  deps.outcome({ outcome: done, connector, instanceId, cause: "rescue", ...reason });
}

interface Settled {
  readonly done: Done;
  /** Why the record ends without being written to the table. */
  readonly why?: RecordEnd;
  /** False: a grant that must end still lives at the vendor. */
  readonly revoked?: boolean;
}

async function settleOrEnd(
  deps: WorkerDeps,
  key: string,
  record: RescueRecord,
  call: Call,
): Promise<Settled> {
  try {
    return await settleWhole(deps, key, record, call);
  } catch (error) {
    const { id, at } = subjectOf(record);
    if (error instanceof RevocationOwed || !(await isPastItsEnd(deps, id, at))) throw error;
    // The end of a record must not depend on its connector or its key, which may be missing.
    const revoked = await endRecord(deps, record).catch(() => false);
    return { done: "lost", why: "record_too_old", revoked };
  }
}

async function settleWhole(
  deps: WorkerDeps,
  key: string,
  record: RescueRecord,
  call: Call,
): Promise<Settled> {
  try {
    return settled(await settle(deps, key, record, call));
  } catch (error) {
    if (error instanceof StoreRefused) return await settleRefused(deps, key, record, call);
    throw error;
  }
}

/** Tries again with a smaller grant; if the table refuses that too, ends the grant. */
async function settleRefused(
  deps: WorkerDeps,
  key: string,
  record: RescueRecord,
  call: Call,
): Promise<Settled> {
  const smaller = await smallerRecord(deps, record);
  try {
    if (smaller !== undefined) return settled(await settle(deps, key, smaller, call));
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error;
  }
  return { done: "lost", why: "store_refused", revoked: await endRecord(deps, record) };
}

function settled(done: Done): Settled {
  return done === "lost" ? { done, revoked: false } : { done };
}

type Done = Extract<GrantOutcome["outcome"], "rescued" | "revoked" | "lost"> | "nothing";

async function settle(deps: WorkerDeps, key: string, record: RescueRecord, call: Call): Promise<Done> {
  const owner = subjectOf(record);
  switch (record.kind) {
    case "refresh": {
      const result = await commit(deps, record);
      if (result !== "lost") return result === "written" ? "rescued" : "nothing";
      const ended = await revokeRecorded(deps, owner, record.fence, record.grant);
      return await revokedOrOwed(deps, owner, ended, record.refreshedAt);
    }
    case "sign-in": {
      const grant = await openUnlessBroken(deps, owner, `signin-${record.epoch}`, record.grant);
      if (grant === undefined) return await revokedOrOwed(deps, owner, false, record.at);
      const { grant: _, ...signIn } = record;
      const sealer = await deps.vault.prepare(record.organizationId);
      const result = await writeSignIn(deps, { signIn, grant, sealer });
      if (result.kind === "lost")
        return await revokedOrOwed(deps, owner, await revokeOrphan(deps, owner, grant), record.at);
      await afterSignIn(deps, result, record, grant, call);
      return "rescued";
    }
    case "new": {
      const made = await createOrFind(deps, record.instance);
      if (made === "created" && (await deps.rescue.read(key)) === undefined) {
        // This is a second delivery of a record that was settled before, and whose instance has been deleted
        // since.
        await deps.instances.markDeleting(record.instance.id, record.instance.createdAt);
        return "nothing";
      }
      if (made === "found") return "nothing";
      call.afterAnswer(noteNewAccount(deps, record.instance));
      return "rescued";
    }
    case "pending":
      // `false`: the claim has moved the record into the table before. If it is already live, the worker finds
      // this when the item ends.
      return (await deps.pendings.put(record.pending)) ? "rescued" : "nothing";
  }
}

/** Notes the account. The process that made the record could not, because there was no item yet. */
async function noteNewAccount(deps: WorkerDeps, instance: Instance): Promise<void> {
  const connector = connectorOf(deps, instance.connector);
  if (connector.account === undefined) return;
  const grant = await openGrant(deps.vault, instance, instance.version, instance.grant);
  await noteAccount(deps, connector, instance, grant);
}

/** @throws {RevocationOwed} not revoked yet, and 7 days have not passed */
async function revokedOrOwed(
  deps: WorkerDeps,
  owner: Pick<Instance, "id">,
  ended: boolean,
  since: number,
): Promise<"revoked" | "lost"> {
  if (ended) return "revoked";
  if (!(await isPastItsEnd(deps, owner.id, since))) throw new RevocationOwed(owner.id);
  return "lost";
}
