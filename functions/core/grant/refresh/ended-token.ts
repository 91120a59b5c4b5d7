import type { Grant } from "../../instances/instance.ts";
import { connectorOf } from "../connector-of.ts";
import { askAccount } from "../consent/account.ts";
import type { Call, GrantDeps, InstanceRead } from "../grant-deps.ts";
import { releaseLease, takeLease } from "../store/lease.ts";
import { latestNow, leaseIsHeld } from "../timing.ts";
import { declareDead } from "./declare-dead.ts";

/**
 * After a vendor's 401 to a token that came without refresh token: whether the grant has ended. It has if the token has run
 * out by the vendor's own word; else, since a single call may be refused for reasons of its own, if the connector's own
 * account call is told that the token is none any more. That call is made once an hour at most, under the lease, and `forcedAt`
 * remembers it.
 * @returns true: it needs a new sign-in, which is written and told; false: the vendor's 401 stands for itself
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
    // So new that the vendor may not know it everywhere yet.
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
    // The table does not answer: the lease runs out, and the next 401 asks again.
    return false;
  }
}
