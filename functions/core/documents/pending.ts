import { Unavailable, VendorError } from "../errors.ts";
import type { HubContext } from "./hub-context.ts";
import { isPending, type Pending } from "./vendor.ts";

/** Longest wait for a vendor's task, and the time of the invocation that is left for the answer after it. */
const MAX_WAIT_MS = 25_000;
const RESERVE_MS = 3_000;
/** Waits between two questions: short at first, because most tasks take less than a second. */
const WAITS_MS = [250, 500, 1_000, 2_000] as const;

/** 503: the vendor has accepted a task, and works on it for longer than a call may take. */
export class StillRunning extends Unavailable {
  readonly task: Pending;
  /** Where the task makes an item. */
  readonly path: string | undefined;

  constructor(task: Pending, path?: string) {
    super("the vendor has accepted the task and still works on it; look again later");
    this.task = task;
    this.path = path;
  }
}

/** The vendor says that a task has failed: nobody needs to ask again. */
export class TaskFailed extends VendorError {
  constructor(message: string, vendor?: unknown) {
    super(502, "vendor_error", message, { vendor });
  }
}

/**
 * Waits until a vendor has done what it accepted.
 * @returns the outcome itself if it is not pending; else the reference of the item that the task made, if it made one
 * @param path where the task makes an item
 * @throws {StillRunning}
 * @throws {LinkspanError} the task failed
 */
export async function settled<T extends object>(
  hub: HubContext,
  outcome: T | Pending,
  path?: string,
): Promise<T | { readonly reference?: string }> {
  if (!isPending(outcome)) return outcome;
  const { poll } = hub.vendor;
  if (poll === undefined) throw new Error(`${hub.vendor.connector} has pending tasks, but no poll`);
  let waitedMs = 0;
  for (let asked = 0; ; asked++) {
    const done = await poll(hub.call, outcome);
    if (done !== undefined) return done;
    const waitMs = WAITS_MS[Math.min(asked, WAITS_MS.length - 1)] as number;
    waitedMs += waitMs;
    if (waitedMs > MAX_WAIT_MS || hub.remainingMs() < waitMs + RESERVE_MS)
      throw new StillRunning(outcome, path);
    await hub.sleep(waitMs);
  }
}
