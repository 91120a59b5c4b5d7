import type { Instance } from "../../instances/instance.ts";
import { noteAccount } from "../account.ts";
import { announce } from "../announce.ts";
import { connectorOf } from "../connector-of.ts";
import type { Call, GrantOutcome, WorkerParts } from "../grant-parts.ts";
import type { RescueRecord } from "../ports.ts";
import { commit } from "../refresh/commit.ts";
import { openUnlessBroken, revokeLoser, revokeRecorded } from "../revocation/revoke-loser.ts";
import { openGrant } from "../sealed-grant.ts";
import { afterSignIn } from "../sign-in/after-sign-in.ts";
import { createOrFind } from "../sign-in/first-exchange.ts";
import { writeSignIn } from "../sign-in/write-sign-in.ts";
import { latestNow } from "../timing.ts";

/** The vendor did not take a revocation that a record asks for: it lies there for the next sweep. */
export class RevocationOwed extends Error {
  constructor(instanceId: number) {
    super(`a revocation for instance ${instanceId} was not taken yet`);
    this.name = "RevocationOwed";
  }
}

/**
 * RESCUE WORKER: brings what lies in the rescue bucket to where it belongs, any number of times: the write that the record
 * stands for, then the revocation that this asks for, and only then the record goes. Nobody else deletes records.
 * @throws whatever could not be done: the record stays, the next sweep queues it again
 */
export async function settleRescueRecord(parts: WorkerParts, key: string, call: Call): Promise<void> {
  const record = await parts.rescue.read(key);
  if (record === undefined) return;
  const done = await settle(parts, key, record, call);
  const owner = ownerOf(record);
  // The record does not tell whose the instance is; asked before the record goes, so that it is asked again if need be.
  const last = done === "lost" ? await parts.instances.get(owner.id) : undefined;
  await parts.rescue.remove(key);
  const { id: instanceId, connector } = owner;
  if (done !== "nothing") parts.outcome({ outcome: done, connector, instanceId, cause: "rescue" });
  if (last === undefined) return;
  const userId = last.value?.userId;
  announce(
    parts,
    call,
    { ...owner, ...(userId === undefined ? {} : { userId }) },
    {
      name: "instance.revocation_failed",
      at: latestNow(last.reading, parts.monotonic()),
      of: key,
    },
  );
}

type Done = Extract<GrantOutcome["outcome"], "rescued" | "revoked" | "lost"> | "nothing";

async function settle(parts: WorkerParts, key: string, record: RescueRecord, call: Call): Promise<Done> {
  const owner = ownerOf(record);
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
        return await revokedOrOwed(parts, owner, await revokeLoser(parts, owner, grant), record.at);
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
    default:
      throw new Error(`a rescue record of a kind that this version does not know: ${key}`);
  }
}

/** Whoever made it could not: there was no item to note it on. */
async function noteNewAccount(parts: WorkerParts, instance: Instance): Promise<void> {
  const connector = connectorOf(parts, instance.connector);
  if (connector.account === undefined) return;
  const { accessToken } = await openGrant(parts.vault, instance, instance.version, instance.grant);
  await noteAccount(parts, connector, instance, accessToken, instance.createdAt);
}

function ownerOf(record: RescueRecord): Pick<Instance, "id" | "organizationId" | "connector"> {
  if (record.kind === "new") return record.instance;
  if (record.kind === "pending") return { ...record.pending, id: record.pending.instanceId };
  const { instanceId: id, organizationId, connector } = record;
  return { id, organizationId, connector };
}

/** @throws {RevocationOwed} not yet, and it is not 7 days that we have been trying */
async function revokedOrOwed(
  parts: WorkerParts,
  owner: Pick<Instance, "id">,
  ended: boolean,
  since: number,
): Promise<"revoked" | "lost"> {
  if (ended) return "revoked";
  const { reading } = await parts.instances.get(owner.id);
  if (latestNow(reading, parts.monotonic()) - since < parts.timing.revocationMs)
    throw new RevocationOwed(owner.id);
  return "lost";
}
