import { type Instance, needsReauthentication } from "../../instances/instance.ts";
import type { ReleaseChange } from "../../instances/instance-store.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import type { GrantDeps, InstanceRead } from "../grant-deps.ts";
import { leaseIsHeld } from "../timing.ts";
import { withTimeout } from "../with-timeout.ts";
import { isRevivable } from "./death.ts";

/** Why a refresh does not begin. */
export type RefreshBlocker = "deleting" | "disabled" | "needs_reauth" | "moved" | "held";

/** An attempt that holds the lease: only this attempt may send the version's refresh token. */
export interface Lease {
  readonly instance: Instance;
  readonly fence: number;
  /** Latest start of the token request, by our own monotonic clock. */
  readonly sendBefore: number;
}

/**
 * Step 1 of a refresh: whether a refresh of the item may begin.
 * @param wanted the version that the caller wants renewed; if another version is stored, it was renewed already
 * @param revives the attempt is for a dead grant: it may begin if the grant may be retried
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
 * Step 2, always before step 3: an earlier attempt's lease expired, and its result is unknown. Its grant may be
 * in the rescue bucket; then the stored refresh token is an old one and must not be sent.
 * @throws the bucket does not answer: without its answer the refresh must not continue
 */
export async function lookForRescue(
  deps: Pick<GrantDeps, "rescue" | "sleep" | "timing">,
  { instance }: InstanceRead,
): Promise<RescueRecord | undefined> {
  if (instance.until === undefined) return undefined;
  return await withTimeout(deps, deps.timing.storeTryMs, deps.rescue.get(instance.id, instance.fence));
}

/**
 * Step 3: takes the lease on the version and fence that were read. `undefined`: another process was first.
 * @param forcedAt store time, if the refresh is forced; it is stored whatever the result of the refresh
 * @throws no answer: the lease may or may not be taken; it expires by itself
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
 * Releases the lease: the refresh token was not used, or using it again is harmless. If this fails, the lease
 * expires by itself.
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
    // The store does not answer: the lease expires by itself.
    return false;
  }
}
