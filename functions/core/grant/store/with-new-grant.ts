import type { Instance } from "../../instances/instance.ts";
import { present } from "../../present.ts";

/**
 * An item as the write of a new grant leaves it: without lease, death or failures, and due at `won.dueAt` (or
 * never). Saves the writing process another read.
 */
export function withNewGrant(
  instance: Instance,
  won: Pick<Instance, "grant" | "version" | "fence"> & { readonly dueAt: number | undefined },
): Instance {
  const { until, deadVersion, death, lastError, lastFailure, ...living } = instance;
  const { attempts, retryAt, askedUntil, refusals, dueAt, dueSince, refreshShard, ...rest } = living;
  const { grant, version, fence } = won;
  return { ...rest, grant, version, fence, ...present({ dueAt: won.dueAt }) };
}
