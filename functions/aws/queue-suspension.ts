import type { WorkQueue } from "../core/grant/schedule/sweep.ts";
import type { SuspensionWork } from "../core/tenants/mark-instances.ts";

/**
 * Has a worker mark a user's instances, or take the marks off.
 * @param delaysSeconds one message for each: after how many seconds it is seen
 * @throws the queue did not take all of them
 */
export async function queueSuspension(
  queue: WorkQueue,
  work: SuspensionWork,
  delaysSeconds: readonly number[] = [0],
): Promise<void> {
  const sent = await queue.send(
    delaysSeconds.map((delaySeconds) => ({
      kind: "suspension",
      ...work,
      group: "suspension",
      ...(delaySeconds === 0 ? {} : { delaySeconds }),
    })),
  );
  if (sent.includes(false)) throw new Error("the refresh queue did not take a message");
}
