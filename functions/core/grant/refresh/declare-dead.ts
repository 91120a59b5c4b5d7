import type { Failure } from "../../instances/instance.ts";
import { present } from "../../present.ts";
import { announce } from "../announce.ts";
import type { Call, GrantDeps, InstanceRead } from "../grant-deps.ts";
import type { DeathReason } from "../store/death.ts";
import { dueWithCleanup } from "../store/due.ts";
import { latestNow } from "../timing.ts";
import { withTimeout } from "../with-timeout.ts";

/**
 * Marks that only a new sign-in helps, if the version and fence are still those in `seen`, and sends the event.
 * The sealed grant stays for 30 days; then the due entry makes the worker remove its tokens
 * (schedule/bury-dead.ts).
 * @param seen the version that died, and the fence of the lease of this attempt (without a lease: of the read)
 * @param words the vendor's own
 * @returns `false`: another grant is stored now, or this is the second try of a write whose first answer was
 *   lost
 * @throws the table does not answer
 */
export async function declareDead(
  deps: Pick<GrantDeps, "instances" | "sleep" | "timing" | "monotonic" | "announce">,
  { instance, reading }: InstanceRead,
  seen: { readonly version: number; readonly fence: number },
  reason: DeathReason,
  words: Pick<Failure, "error" | "description">,
  call: Pick<Call, "afterAnswer">,
): Promise<boolean> {
  const { timing } = deps;
  const at = latestNow(reading, deps.monotonic());
  const death = { version: seen.version, at, reason };
  const lastFailure: Failure = { at, code: reason, ...words };
  const due = dueWithCleanup(instance, at + timing.keepDeadMs, at, timing);
  const written = await withTimeout(
    deps,
    timing.storeTryMs,
    deps.instances.markDead(instance.id, seen, reason, due, { death, lastFailure }),
  );
  if (!written) return false;
  announce(deps, call, instance, {
    name: "instance.needs_reauth",
    at,
    of: seen.version,
    reason,
    ...present({ error: words.error, errorDescription: words.description }),
  });
  return true;
}
