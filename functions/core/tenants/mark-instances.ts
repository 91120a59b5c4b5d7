import type { InstanceLists, InstanceSuspension } from "../instances/instance-store.ts";
import { mapConcurrently } from "../map-concurrently.ts";
import { present } from "../present.ts";
import type { User } from "./ports.ts";

/** A user whose instances must be marked or unmarked; the user's item decides when the work is done. */
export interface SuspensionWork {
  readonly organizationId: string;
  readonly userId: string;
  /** Where to continue in the list of the user's instances. */
  readonly after?: string;
}

/**
 * Delay of a second message, in seconds. The first message may come before the index shows an instance that was
 * created just before, or while a sign-in that began before the suspension is still under way: a process sees
 * the suspension after 30 s, and lives for 2 minutes.
 */
export const MARK_AGAIN_SECONDS = 180;

const PAGE = 100;
const WRITES_AT_ONCE = 10;
/** Most rounds, if the user's status keeps changing meanwhile; no operator changes it more often. */
const MOST_ROUNDS = 10;

export interface MarkingDeps {
  /** Strongly consistent, and not from a cache. */
  readonly user: (organizationId: string, userId: string) => Promise<User | undefined>;
  readonly instances: Pick<InstanceLists, "listByOwner"> & InstanceSuspension;
  /** Queues the rest of the work. @throws the queue did not take it: the message must be delivered again */
  readonly goOn: (work: SuspensionWork) => Promise<void>;
}

/**
 * Marks a page of a user's instances as those of a suspended user, or removes the marks. May run any number of
 * times, in any order: each run reads the user's item again after its writes, and repeats them if the status
 * has changed.
 */
export async function markInstances(deps: MarkingDeps, work: SuspensionWork): Promise<void> {
  const { organizationId, userId, after } = work;
  const isSuspended = async () => (await deps.user(organizationId, userId))?.status === "suspended";
  const page = await deps.instances.listByOwner(organizationId, userId, {
    limit: PAGE,
    ...present({ after }),
  });
  let suspended = await isSuspended();
  for (let round = 0; ; round++) {
    if (round === MOST_ROUNDS)
      throw new Error(`the status of user ${userId} changes too fast to mark the instances`);
    const written = await mapConcurrently(page.items, WRITES_AT_ONCE, ({ id }) =>
      deps.instances.markSuspended(id, suspended),
    );
    const failed = written.find((each) => each.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const now = await isSuspended();
    if (now === suspended) break;
    suspended = now;
  }
  if (page.next !== undefined) await deps.goOn({ organizationId, userId, after: page.next });
}
