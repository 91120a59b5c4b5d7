import type { PendingKey } from "../../instances/pending-sign-in.ts";
import type { SignInDeps } from "../grant-deps.ts";
import { endSoon } from "../store/end-soon.ts";
import { latestNow } from "../timing.ts";
import { findPending } from "./find-pending.ts";

/**
 * REFUSE: the pending sign-in cannot be claimed any more. Its grant is revoked, and its instance stays
 * unchanged.
 * @param isNew the sign-in makes a new connection, rather than renewing an existing instance
 * @returns false: it was claimed before, and stays claimed
 */
export async function refusePending(deps: SignInDeps, key: PendingKey, isNew: boolean): Promise<boolean> {
  const { value: pending, reading } = await findPending(deps, key);
  if (pending !== undefined) {
    if (await endSoon(deps, pending, latestNow(reading, deps.monotonic()))) return true;
    const { value: now } = await deps.pendings.get(key);
    if (now !== undefined) return false;
  }
  // There is no pending item: the sign-in has ended, or it was written to its instance before.
  const { value: instance } = await deps.instances.get(key.instanceId);
  if (instance === undefined || instance.deleting === true) return true;
  return isNew ? false : instance.epoch !== key.epoch;
}
