import type { Instance } from "../../instances/instance.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import { present } from "../../present.ts";
import { StoreRefused } from "../../store-refused.ts";
import { connectorOf } from "../connector-of.ts";
import type { Call, GrantOutcome, WorkerParts } from "../grant-deps.ts";
import { openUnlessBroken, revokeOrphan, revokeRecorded } from "../revocation/revoke-orphan.ts";
import { afterSignIn } from "../sign-in/after-sign-in.ts";
import { createOrFind } from "../sign-in/first-exchange.ts";
import { writeSignIn } from "../sign-in/write-sign-in.ts";
import { noteAccount } from "../store/account.ts";
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
 * RESCUE WORKER: brings what lies in the rescue bucket to where it belongs, any number of times: the write that the record
 * stands for, then the revocation that this asks for, and only then the record goes. Nobody else deletes records. Each record
 * has an end: one that the table refuses for good ends at once, any other when it is 7 days old.
 * @throws whatever could not be done: the record stays, a later sweep queues it again
 */
export async function settleRescueRecord(parts: WorkerParts, key: string, call: Call): Promise<void> {
  let record: RescueRecord | undefined;
  try {
    record = await parts.rescue.read(key);
  } catch (error) {
    if (error instanceof UnreadableRecord) return await endUnreadable(parts, key, error);
    throw error;
  }
  if (record === undefined) return;
  const { done, why, revoked = true } = await settleOrEnd(parts, key, record, call);
  // Before the record goes, so that it is told again if need be.
  if (why !== undefined || !revoked)
    await tellEnd(parts, call, key, record, { revoked, ...present({ why }) });
  await parts.rescue.remove(key);
  const { id: instanceId, connector } = subjectOf(record);
  if (done === "nothing") return;
  const reason = why === undefined ? {} : { reason: why };
  parts.outcome({ outcome: done, connector, instanceId, cause: "rescue", ...reason });
}

interface Settled {
  readonly done: Done;
  /** Why the record ends without its write. */
  readonly why?: RecordEnd;
  /** False: what had to end at the vendor lives on there. */
  readonly revoked?: boolean;
}

async function settleOrEnd(
  parts: WorkerParts,
  key: string,
  record: RescueRecord,
  call: Call,
): Promise<Settled> {
  try {
    return settled(await settle(parts, key, record, call));
  } catch (error) {
    if (error instanceof StoreRefused) return await settleRefused(parts, key, record, call);
    const { id, at } = subjectOf(record);
    if (error instanceof RevocationOwed || !(await isPastItsEnd(parts, id, at))) throw error;
    return { done: "lost", why: "record_too_old", revoked: await endRecord(parts, record) };
  }
}

/** Once more with a smaller grant; where the table refuses that, too, the grant ends. */
async function settleRefused(
  parts: WorkerParts,
  key: string,
  record: RescueRecord,
  call: Call,
): Promise<Settled> {
  const smaller = await smallerRecord(parts, record);
  try {
    if (smaller !== undefined) return settled(await settle(parts, key, smaller, call));
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error;
  }
  return { done: "lost", why: "store_refused", revoked: await endRecord(parts, record) };
}

function settled(done: Done): Settled {
  return done === "lost" ? { done, revoked: false } : { done };
}

type Done = Extract<GrantOutcome["outcome"], "rescued" | "revoked" | "lost"> | "nothing";

async function settle(parts: WorkerParts, key: string, record: RescueRecord, call: Call): Promise<Done> {
  const owner = subjectOf(record);
  switch (record.kind) {
    case "refresh": {
      const result = await commit(parts, record);
      if (result !== "lost") return result === "written" ? "rescued" : "nothing";
      const ended = await revokeRecorded(parts, owner, record.fence, record.grant);
      return await revokedOrOwed(parts, owner, ended, record.refreshedAt);
    }
    case "sign-in": {
      const grant = await openUnlessBroken(parts, owner, `signin-${record.epoch}`, record.grant);
      if (grant === undefined) return await revokedOrOwed(parts, owner, false, record.at);
      const { grant: _, ...signIn } = record;
      const sealer = await parts.vault.prepare(record.organizationId);
      const result = await writeSignIn(parts, { signIn, grant, sealer });
      if (result.kind === "lost")
        return await revokedOrOwed(parts, owner, await revokeOrphan(parts, owner, grant), record.at);
      await afterSignIn(parts, result, record, grant, call);
      return "rescued";
    }
    case "new": {
      const made = await createOrFind(parts, record.instance);
      if (made === "created" && (await parts.rescue.read(key)) === undefined) {
        // A second delivery of a record that was settled before, and whose instance has been deleted since.
        await parts.instances.markDeleting(record.instance.id, record.instance.createdAt);
        return "nothing";
      }
      if (made === "found") return "nothing";
      call.afterAnswer(noteNewAccount(parts, record.instance));
      return "rescued";
    }
    case "pending":
      // Refused: the one who claims it brought it home before. Where it went live long since, the worker finds that at its end.
      return (await parts.pendings.put(record.pending)) ? "rescued" : "nothing";
  }
}

/** Whoever made it could not: there was no item to note it on. */
async function noteNewAccount(parts: WorkerParts, instance: Instance): Promise<void> {
  const connector = connectorOf(parts, instance.connector);
  if (connector.account === undefined) return;
  const grant = await openGrant(parts.vault, instance, instance.version, instance.grant);
  await noteAccount(parts, connector, instance, grant, instance.createdAt);
}

/** @throws {RevocationOwed} not yet, and it is not 7 days that we have been trying */
async function revokedOrOwed(
  parts: WorkerParts,
  owner: Pick<Instance, "id">,
  ended: boolean,
  since: number,
): Promise<"revoked" | "lost"> {
  if (ended) return "revoked";
  if (!(await isPastItsEnd(parts, owner.id, since))) throw new RevocationOwed(owner.id);
  return "lost";
}
