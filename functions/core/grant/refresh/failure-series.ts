import { present } from "../../present.ts";
import { announce } from "../announce.ts";
import type { Call, GrantDeps, InstanceRead } from "../grant-deps.ts";
import { latestNow } from "../timing.ts";
import type { VendorWords } from "./vendor-words.ts";

type Deps = Pick<GrantDeps, "announce" | "monotonic">;

/**
 * A series is all failed refreshes of one version. One event is sent when it begins. The event's id contains
 * the version, so two processes that both send the event use the same id.
 * @param left what the attempt left in the item: the count of failures, or (if its result is unknown) only its
 *   lease
 */
export function tellFailure(
  deps: Deps,
  call: Pick<Call, "afterAnswer">,
  { instance, reading }: InstanceRead,
  left: "attempts" | "lease",
  reason: string,
  words: VendorWords = {},
): void {
  if (instance.attempts !== undefined) return;
  // An expired lease is from an earlier attempt, which sent the event, or crashed before it could.
  if (left === "lease" && instance.until !== undefined) return;
  announce(deps, call, instance, {
    name: "instance.refresh_failed",
    at: latestNow(reading, deps.monotonic()),
    of: instance.version,
    reason,
    ...present({ error: words.error, errorDescription: words.description }),
  });
}

/** Sends the event for the end of a series, if there was one: the grant that replaced `instance.version` is safe. */
export function tellRecovery(
  deps: Deps,
  call: Pick<Call, "afterAnswer">,
  { instance, reading }: InstanceRead,
): void {
  if (instance.attempts === undefined && instance.until === undefined) return;
  announce(deps, call, instance, {
    name: "instance.refresh_recovered",
    at: latestNow(reading, deps.monotonic()),
    of: instance.version,
  });
}
