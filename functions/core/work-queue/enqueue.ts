import type { SignInDeps } from "../grant/grant-deps.ts";
import type { SuspensionWork } from "../tenants/mark-instances.ts";
import type { QueuedWork, WorkQueue } from "./work.ts";

/** @throws the queue did not take all of it */
async function enqueue(queue: WorkQueue, work: readonly QueuedWork[]): Promise<void> {
  const sent = await queue.send(work);
  if (sent.includes(false)) throw new Error("the work queue did not take a message");
}

/**
 * Functions with which core/grant queues work for a worker, in the message group of the grant's client.
 * @param queue makes the queue when the first message is sent
 */
export function enqueuers(
  queue: () => WorkQueue,
): Pick<SignInDeps, "enqueueRefresh" | "enqueueDeletion" | "enqueuePending"> {
  return {
    async enqueueRefresh({ id: instanceId, version, refreshGroup: group }, cause) {
      await enqueue(queue(), [{ kind: "refresh", instanceId, cause, version, group }]);
    },
    async enqueueDeletion({ id: instanceId, version, refreshGroup: group }) {
      await enqueue(queue(), [{ kind: "delete", instanceId, version, group }]);
    },
    async enqueuePending({ instanceId, sessionId, epoch, refreshGroup: group }) {
      await enqueue(queue(), [{ kind: "pending", instanceId, sessionId, epoch, group }]);
    },
  };
}

/**
 * Has a worker mark a user's instances, or remove the marks.
 * @param delaysSeconds sends one message for each delay: it stays hidden for so many seconds
 * @throws the queue did not take all of them
 */
export async function enqueueSuspension(
  queue: WorkQueue,
  work: SuspensionWork,
  delaysSeconds: readonly number[] = [0],
): Promise<void> {
  await enqueue(
    queue,
    delaysSeconds.map((delaySeconds) => ({
      kind: "suspension",
      ...work,
      group: "suspension",
      ...(delaySeconds === 0 ? {} : { delaySeconds }),
    })),
  );
}
