import type { Grant, Instance } from "../instances/instance.ts";
import { announce } from "./announce.ts";
import { connectorOf } from "./commit.ts";
import type { Call, GrantParts, WorkerParts } from "./grant-parts.ts";
import { openGrant } from "./sealed-grant.ts";
import { latestNow } from "./timing.ts";

/** Whole items that are read before it is looked whether one of them is a sibling. */
const SIBLINGS_AT_ONCE = 10;

/**
 * DELETE, step 1: the instance token is dead from here; a worker does the rest, now or when the sweep finds it.
 * @returns false: there is no such instance
 */
export async function markForDeletion(
  parts: Pick<GrantParts, "handOver"> & {
    readonly instances: Pick<GrantParts["instances"], "get" | "markDeleting">;
  },
  instanceId: number,
): Promise<boolean> {
  const { value: instance, reading } = await parts.instances.get(instanceId);
  if (instance === undefined) return false;
  if (!(await parts.instances.markDeleting(instanceId, reading.dateMs))) return false;
  // Lost: it lies on the due index.
  await parts.handOver(instance, "delete").catch(() => {});
  return true;
}

/**
 * DELETE, steps 2 and 3, by a worker, any number of times: revokes what the vendor lets us revoke without harm to others,
 * then deletes the item. A revocation that fails is tried again for 7 days.
 */
export async function finishDeletion(
  parts: WorkerParts,
  instanceId: number,
  call: Pick<Call, "afterAnswer">,
): Promise<void> {
  const { value: instance, reading } = await parts.instances.get(instanceId);
  if (instance?.deleting !== true) return;
  // A first exchange whose record still lies in the bucket would bring the item back: the rescue worker clears it away.
  const unborn = await parts.rescue.read(`rescue/${instanceId}/new`);
  const now = latestNow(reading, parts.monotonic());
  if (unborn !== undefined) return await tryLater(parts, instance, now);
  const ended = await revokeStored(parts, instance);
  if (ended === "failed") {
    if (now - (instance.deletingSince ?? now) < parts.timing.revocationMs) {
      return await tryLater(parts, instance, now);
    }
  }
  const removed = await parts.instances.remove(instanceId);
  const { connector } = instance;
  if (ended === "revoked") parts.outcome({ outcome: "revoked", connector, instanceId, cause: "forced" });
  if (ended === "failed") parts.outcome({ outcome: "lost", connector, instanceId, cause: "forced" });
  if (!removed) return;
  if (ended === "failed")
    announce(parts, call, instance, { name: "instance.revocation_failed", at: now, of: "delete" });
  announce(parts, call, instance, { name: "instance.deleted", at: now, of: "delete" });
}

async function revokeStored(
  parts: WorkerParts,
  instance: Instance,
): Promise<"revoked" | "spared" | "failed"> {
  const connector = connectorOf(parts, instance.connector);
  const ends = connector.oauth2.revocation?.ends;
  if (ends === undefined) return "spared";
  if (ends === "grant" && (await hasSibling(parts, instance))) return "spared";
  try {
    const grant: Grant = await openGrant(parts.vault, instance, instance.version, instance.grant);
    const client = await parts.clients.resolve(instance.organizationId, connector.key, grant.client);
    return (await parts.tokens.revoke(connector, client, grant)) ? "revoked" : "failed";
  } catch {
    return "failed";
  }
}

/**
 * Another living instance that hangs on the same consent: same connector and client, and not known to be of another
 * account. Where either account is not known, better a consent too many at the vendor than a dead connection.
 * Goes through the organization's index; whole items are read of living ones of the connector only, a few at a time, the
 * user's own first (one account is rarely two users'), until a sibling is found.
 */
async function hasSibling(parts: WorkerParts, instance: Instance): Promise<boolean> {
  let after: string | undefined;
  do {
    const page = await parts.instances.listByOrganization(instance.organizationId, {
      limit: 100,
      ...(after === undefined ? {} : { after }),
    });
    const isOwn = ({ userId }: { userId: string }): boolean => userId === instance.userId;
    const candidates = page.items.filter(
      ({ id, connector, deleting }) =>
        id !== instance.id && connector === instance.connector && deleting !== true,
    );
    const ids = [...candidates.filter(isOwn), ...candidates.filter((each) => !isOwn(each))].map(
      ({ id }) => id,
    );
    for (let start = 0; start < ids.length; start += SIBLINGS_AT_ONCE) {
      const others = await parts.instances.getMany(ids.slice(start, start + SIBLINGS_AT_ONCE));
      if (others.some((other) => isSibling(instance, other))) return true;
    }
    after = page.next;
  } while (after !== undefined);
  return false;
}

function isSibling(instance: Instance, other: Instance): boolean {
  if (other.deleting === true || other.refreshGroup !== instance.refreshGroup) return false;
  if (instance.account === undefined || other.account === undefined) return true;
  return instance.account.id === other.account.id;
}

/**
 * Waits a quarter of the time that it has been failing for, between a minute and an hour. Nothing is overdue meanwhile: the
 * instance token is dead, and what cannot be revoked within 7 days is counted as lost.
 */
async function tryLater(parts: GrantParts, instance: Instance, now: number): Promise<void> {
  const { revocationRetryMs, revocationRetryMaxMs } = parts.timing;
  const failingFor = now - (instance.deletingSince ?? now);
  const wait = Math.min(revocationRetryMaxMs, Math.max(revocationRetryMs, failingFor / 4));
  const due = Math.floor(now + wait);
  if (instance.dueAt === undefined || (await parts.instances.push(instance.id, instance.dueAt, due))) return;
  // The sweep that sent it has pushed it while the vendor was asked: its five minutes are no answer to a failure.
  const { value: pushed } = await parts.instances.get(instance.id);
  if (pushed?.dueAt !== undefined) await parts.instances.push(instance.id, pushed.dueAt, due);
}
