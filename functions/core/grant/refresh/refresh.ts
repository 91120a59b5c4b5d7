import type { Grant } from "../../instances/instance.ts";
import { connectorOf } from "../connector-of.ts";
import type { Call, GrantDeps, InstanceRead, RefreshCause } from "../grant-deps.ts";
import { commit } from "../store/commit.ts";
import { type Lease, lookForRescue, refreshBlocker, takeLease } from "../store/lease.ts";
import { openGrant } from "../store/sealed-grant.ts";
import { afterAnswer } from "./after-answer.ts";
import { type Attempt, failed, newAttempt, type RefreshRequest, type RefreshResult } from "./attempt.ts";
import { exchange } from "./exchange.ts";

/**
 * Causes other than schedule and expiry: limited to one refresh per minute (or hour); `forcedAt` stores the
 * last one.
 */
const FORCED: ReadonlySet<RefreshCause> = new Set(["forced", "unauthorized", "revive"]);

const running = new WeakMap<GrantDeps, Map<number, Promise<RefreshResult>>>();

/**
 * REFRESH, steps 1 to 5 of the protocol. Callers in the same process share a refresh that is under way. The
 * exchange is never aborted when a caller stops waiting: pass the promise to `afterAnswer`, and wait for it as
 * long as the caller may wait. Never throws.
 */
export function refreshGrant(
  deps: GrantDeps,
  read: InstanceRead,
  request: RefreshRequest,
  call: Call,
): Promise<RefreshResult> {
  const mine = running.get(deps) ?? new Map<number, Promise<RefreshResult>>();
  running.set(deps, mine);
  const { id } = read.instance;
  const shared = mine.get(id);
  if (shared !== undefined) return shared;
  const refreshing = refresh(newAttempt(deps, read, request, call)).finally(() => mine.delete(id));
  mine.set(id, refreshing);
  return refreshing;
}

async function refresh(attempt: Attempt): Promise<RefreshResult> {
  const { deps, read, request, count, now } = attempt;
  const { instance } = read;
  // The clock when the read was answered: time spent on the lease and the key must not shorten the new token's life.
  const answeredMs = deps.monotonic();
  const why = refreshBlocker(read, request.wanted, request.cause === "revive");
  if (why !== undefined) return { kind: "blocked", why };

  let old: Grant;
  let lease: Lease | undefined;
  try {
    const record = await lookForRescue(deps, read);
    if (record !== undefined) {
      if (record.kind !== "refresh")
        throw new Error(`rescue record of instance ${instance.id} is not a refresh`);
      // If this write loses to a delete or a sign-in, the rescue worker revokes the record's grant.
      count((await commit(deps, record)) === "written" ? "rescued" : "reused");
      return { kind: "moved" };
    }
    old = await openGrant(deps.vault, instance, instance.version, instance.grant);
    if (old.refreshToken === undefined) return { kind: "nothing_to_refresh" };
    lease = await takeLease(deps, read, FORCED.has(request.cause) ? now() : undefined);
  } catch {
    // A store or KMS does not answer. At most a lease was written, which expires by itself.
    return failed(attempt, "unreachable");
  }
  if (lease === undefined) return { kind: "blocked", why: "held" };

  // From here on each attempt is counted once, however it ends.
  const leased = { ...attempt, lease, old, connector: connectorOf(deps, instance.connector) };
  return await afterAnswer(leased, await exchange(leased, old.refreshToken, answeredMs));
}
