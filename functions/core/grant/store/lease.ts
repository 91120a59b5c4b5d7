import { type Instance, needsReauthentication } from "../../instances/instance.ts";
import type { ReleaseChange } from "../../instances/instance-store.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import type { GrantDeps, InstanceRead } from "../grant-deps.ts";
import { leaseIsHeld } from "../timing.ts";
import { withTimeout } from "../with-timeout.ts";
import { isRevivable } from "./death.ts";

/** Why a refresh does not begin. */
export type RefreshBlocker = "deleting" | "disabled" | "needs_reauth" | "moved" | "held";

/** An attempt that holds the lease: it alone may send this version's refresh token. */
export interface Lease {
  readonly instance: Instance;
  readonly fence: number;
  /** Latest start of the token request, by our own monotonic clock. */
  readonly sendBefore: number;
}

/**
 * Step 1 of a refresh: whether the item, as read, lets one begin.
 * @param wanted the version that the caller wants renewed; another one lies there: it was renewed already
 * @param revives the attempt is for a grant that is dead: it may begin if that one may be tried once more
 */
export function refreshBlocker(
  { instance, reading }: InstanceRead,
  wanted?: number,
  revives = false,
): RefreshBlocker | undefined {
  if (instance.deleting === true) return "deleting";
  if (!instance.enabled) return "disabled";
  if (needsReauthentication(instance) && !(revives && isRevivable(instance))) return "needs_reauth";
  if (wanted !== undefined && instance.version !== wanted) return "moved";
  if (leaseIsHeld(instance, reading)) return "held";
  return undefined;
}

/**
 * Step 2, always before step 3: an earlier attempt's lease ran out with an end that nobody knows. Perhaps its grant lies
 * in the rescue bucket; then the stored refresh token is an old one and must not be sent.
 * @throws the bucket does not answer: without its answer no refresh may go on
 */
export async function lookForRescue(
  deps: Pick<GrantDeps, "rescue" | "sleep" | "timing">,
  { instance }: InstanceRead,
): Promise<RescueRecord | undefined> {
  if (instance.until === undefined) return undefined;
  return await withTimeout(deps, deps.timing.storeTryMs, deps.rescue.get(instance.id, instance.fence));
}

/**
 * Step 3: takes the lease on the version and fence that were read. `undefined`: somebody else did.
 * @param forcedAt store time, where the refresh is forced: it counts however it ends
 * @throws no answer: it may or may not be taken; it expires by itself
 */
export async function takeLease(
  deps: Pick<GrantDeps, "instances" | "timing">,
  { instance, reading }: InstanceRead,
  forcedAt?: number,
): Promise<Lease | undefined> {
  const { id, version, fence } = instance;
  const until = reading.dateMs + deps.timing.leaseMs;
  if (!(await deps.instances.takeLease(id, { version, fence }, until, forcedAt))) return undefined;
  return { instance, fence: fence + 1, sendBefore: reading.monotonicMs + deps.timing.preSendMs };
}

/**
 * Gives the lease back: the refresh token was not used, or using it again is harmless. If that fails, the lease expires by itself.
 * @returns whether it was written
 */
export async function releaseLease(
  deps: Pick<GrantDeps, "instances">,
  lease: Lease,
  change: ReleaseChange,
): Promise<boolean> {
  try {
    return await deps.instances.release(lease.instance.id, lease.fence, change);
  } catch {
    // The store does not answer: the lease runs out by itself.
    return false;
  }
}
