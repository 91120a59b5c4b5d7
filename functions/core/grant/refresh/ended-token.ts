import type { Grant } from "../../instances/instance.ts";
import { connectorOf } from "../connector-of.ts";
import { askAccount } from "../consent/account.ts";
import type { Call, GrantDeps, InstanceRead } from "../grant-deps.ts";
import { releaseLease, takeLease } from "../store/lease.ts";
import { latestNow, leaseIsHeld } from "../timing.ts";
import { declareDead } from "./declare-dead.ts";

/**
 * Decides after a vendor's 401 to a token without refresh token whether the grant has ended. It has if the
 * expiry that the vendor gave has passed. Otherwise, since the vendor may refuse a single call for other
 * reasons, the grant has ended if the connector's account call shows that the token is not valid any more. The
 * account call is made at most once an hour, under the lease, and `forcedAt` stores its time.
 * @returns true: the grant needs a new sign-in; this is written and the event is sent. false: the vendor's 401
 *   stands
 */
export async function hasEnded(
  deps: GrantDeps,
  read: InstanceRead,
  grant: Grant,
  call: Call,
): Promise<boolean> {
  const { instance, reading } = read;
  const now = latestNow(reading, deps.monotonic());
  const connector = connectorOf(deps, instance.connector);
  const { version, fence } = instance;
  const count = (): boolean => {
    deps.outcome({
      outcome: "needs_reauth",
      connector: connector.key,
      instanceId: instance.id,
      cause: "unauthorized",
    });
    return true;
  };
  try {
    if (grant.expiresAt !== undefined && grant.guessedExpiry === undefined && now >= grant.expiresAt) {
      const died = await declareDead(deps, read, { version, fence }, "token_expired", {}, call);
      return died && count();
    }
    // Too new: not all of the vendor's servers may know the token yet.
    if (grant.obtainedBy !== "import" && now - grant.obtainedAt < deps.timing.freshTokenMs) return false;
    if (connector.account === undefined || leaseIsHeld(instance, reading)) return false;
    if (instance.forcedAt !== undefined && now - instance.forcedAt < deps.timing.probeMs) return false;
    const lease = await takeLease(deps, read, now);
    if (lease === undefined) return false;
    const answer = await askAccount(deps, connector, grant, instance.configuration).catch(() => undefined);
    if (answer?.kind !== "ended") {
      await releaseLease(deps, lease, {});
      return false;
    }
    const seen = { version, fence: lease.fence };
    return (await declareDead(deps, read, seen, "token_refused", {}, call)) && count();
  } catch {
    // The table does not answer: the lease expires, and the next 401 tries again.
    return false;
  }
}
