import type { PendingKey } from "../../instances/pending-sign-in.ts";
import type { SignInDeps } from "../grant-deps.ts";
import { endSoon } from "../store/end-soon.ts";
import { latestNow } from "../timing.ts";
import { findPending } from "./find-pending.ts";

/**
 * REFUSE: it cannot be claimed any more. Its grant is revoked, and the instance that it was for stays as it was.
 * @param isNew it is a new connection, and not a sign-in to an instance that is there
 * @returns false: it was claimed before, and stays so
 */
export async function refusePending(deps: SignInDeps, key: PendingKey, isNew: boolean): Promise<boolean> {
  const { value: pending, reading } = await findPending(deps, key);
  if (pending !== undefined) {
    if (await endSoon(deps, pending, latestNow(reading, deps.monotonic()))) return true;
    const { value: now } = await deps.pendings.get(key);
    if (now !== undefined) return false;
  }
  // Its item is gone: it has ended, or it went live long since.
  const { value: instance } = await deps.instances.get(key.instanceId);
  if (instance === undefined || instance.deleting === true) return true;
  return isNew ? false : instance.epoch !== key.epoch;
}
