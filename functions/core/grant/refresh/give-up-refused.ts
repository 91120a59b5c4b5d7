import type { Grant } from "../../instances/instance.ts";
import type { Sealer } from "../../vault/ports.ts";
import type { Call, GrantDeps, InstanceRead, RefreshCause } from "../grant-deps.ts";
import { endRefused, STORE_REFUSED } from "../revocation/end-refused.ts";
import { type Lease, releaseLease } from "../store/lease.ts";
import { latestNow } from "../timing.ts";
import { withTimeout } from "../with-timeout.ts";
import { afterFailure } from "./after-failure.ts";
import { tellFailure } from "./failure-series.ts";

/**
 * Ends a refreshed grant that the table refuses for good, and releases the lease. The old grant stays; the next
 * refresh shows whether the vendor still accepts it.
 * @returns milliseconds until the next try
 */
export async function giveUpRefused(
  deps: GrantDeps,
  read: InstanceRead,
  lease: Lease,
  won: { readonly old: Grant; readonly grant: Grant; readonly sentAt: number; readonly sealer: Sealer },
  cause: RefreshCause,
  call: Call,
): Promise<number> {
  const { instance } = read;
  if (won.grant.refreshToken === won.old.refreshToken) {
    // The old grant has the same refresh token: there is nothing to end.
    const { id: instanceId, connector } = instance;
    deps.outcome({ outcome: "lost", connector, instanceId, cause, reason: STORE_REFUSED });
  } else {
    const { grant, sealer, sentAt: at } = won;
    await endRefused(deps, call, instance, { grant, sealer, of: lease.fence, at, cause });
  }
  const now = latestNow(read.reading, deps.monotonic());
  const { retryInMs, ...change } = afterFailure(
    deps,
    instance,
    won.old,
    { kind: "unknown", reason: STORE_REFUSED },
    now,
  );
  const release = withTimeout(
    deps,
    deps.timing.storeTryMs,
    releaseLease(deps, lease, { ...change, lastError: STORE_REFUSED }),
  );
  if (await release.catch(() => false)) tellFailure(deps, call, read, "attempts", STORE_REFUSED);
  return retryInMs;
}
