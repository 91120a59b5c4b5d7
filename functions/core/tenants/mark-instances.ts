import type { InstanceLists, InstanceSuspension } from "../instances/instance-store.ts";
import { mapConcurrently } from "../map-concurrently.ts";
import { present } from "../present.ts";
import type { User } from "./ports.ts";

/** A user whose instances are to be marked, or whose marks are to go: as the user's item says when it is worked on. */
export interface SuspensionWork {
  readonly organizationId: string;
  readonly userId: string;
  /** Where in the list of the user's instances to go on. */
  readonly after?: string;
}

/**
 * The first message may come before the index shows an instance that was made just before, and while a sign-in that began
 * before the suspension is still under way (30 s in which a process does not know, and the 2 minutes that it lives). So a
 * second one comes after that time.
 */
export const MARK_AGAIN_SECONDS = 180;

const PAGE = 100;
const WRITES_AT_ONCE = 10;
/** The user may be suspended and resumed while we look; no operator does that more often than this. */
const MOST_ROUNDS = 10;

export interface MarkingDeps {
  /** Strongly consistent, and not from a cache. */
  readonly user: (organizationId: string, userId: string) => Promise<User | undefined>;
  readonly instances: Pick<InstanceLists, "listByOwner"> & InstanceSuspension;
  /** Queues the rest of the work. @throws the queue did not take it: the message must come again */
  readonly goOn: (work: SuspensionWork) => Promise<void>;
}

/**
 * Marks a page of a user's instances as a suspended user's, or takes the marks off. May run any number of times, in any
 * order: each run reads the user's item again after its writes, and repeats them if the status has changed.
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
      throw new Error(`user ${userId} is suspended and resumed faster than can be told`);
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
