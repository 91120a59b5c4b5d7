import { type Instance, needsReauthentication } from "../../instances/instance.ts";
import type { GrantDeps } from "../grant-deps.ts";
import type { DeathReason } from "../store/death.ts";
import { dueWithCleanup } from "../store/due.ts";
import { timing } from "../timing.ts";

/**
 * `marked`: needs a new sign-in. `left`: safe to use unchanged. `moved`: another process uses the table
 * already; look again.
 */
export type Restored = "marked" | "left" | "moved";

/**
 * An item that came back from a backup holds a refresh token that may have been used since. Where the vendor
 * rotates, such a token is dead, and sending it may do harm: a vendor that detects reuse ends the user's whole
 * grant, including other instances of the same account (RFC 9700 section 4.14.2). So the token is not sent: the
 * grant counts as dead until the user signs in again. Where the vendor does not rotate, sending the token is
 * harmless; if it is dead, an `invalid_grant` marks it then.
 *
 * The write is `markDead`, on condition of the version and fence that were read. A newer grant of this version
 * in the rescue bucket can still be committed, and makes the instance usable again.
 * @param now store time, epoch milliseconds
 */
export async function markRestored(
  deps: Pick<GrantDeps, "connectors"> & { readonly instances: Pick<GrantDeps["instances"], "markDead"> },
  instance: Instance,
  now: number,
): Promise<Restored> {
  if (!isUnsafe(deps, instance)) return "left";
  const { id, version, fence } = instance;
  const reason: DeathReason = "restored";
  const death = { version, at: now, reason };
  const due = dueWithCleanup(instance, now + timing.keepDeadMs, now, timing);
  const marked = await deps.instances.markDead(id, { version, fence }, reason, due, { death });
  return marked ? "marked" : "moved";
}

/** Whether sending the instance's refresh token could do harm. */
export function isUnsafe(deps: Pick<GrantDeps, "connectors">, instance: Instance): boolean {
  if (instance.deleting === true || needsReauthentication(instance)) return false;
  const connector = deps.connectors(instance.connector);
  // An unknown connector counts as one that rotates refresh tokens.
  return connector === undefined || connector.oauth2.refreshToken?.rotates === true;
}
