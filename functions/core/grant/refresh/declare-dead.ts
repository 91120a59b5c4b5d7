import type { Failure } from "../../instances/instance.ts";
import { present } from "../../present.ts";
import { announce } from "../announce.ts";
import type { Call, GrantDeps, InstanceRead } from "../grant-deps.ts";
import type { DeathReason } from "../store/death.ts";
import { dueWithCleanup } from "../store/due.ts";
import { latestNow } from "../timing.ts";
import { withTimeout } from "../with-timeout.ts";

/**
 * Writes that only a new sign-in helps, if the version and fence are still those seen, and tells subscribers. The sealed grant
 * stays for 30 days; the due entry brings the worker that takes it away (schedule/bury-dead.ts).
 * @param seen the version that died; the fence of the lease under which that was found out, or that of the read where none was taken
 * @param words the vendor's own
 * @returns `false`: another grant has come, or this is the second try of a write whose first answer was lost
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
