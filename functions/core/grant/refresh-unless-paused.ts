import type { Call, GrantParts, InstanceRead } from "./grant-parts.ts";
import { type RefreshRequest, type RefreshResult, refreshGrant } from "./refresh.ts";
import { latestNow } from "./timing.ts";

/** Nothing was tried: the vendor refuses this grant's client, and it is not yet time to ask again. */
export interface Paused {
  readonly kind: "paused";
  /** Store time from which one may ask again. */
  readonly until: number;
  readonly retryAfterMs: number;
}

/**
 * A refresh, unless the vendor was seen to refuse the grant's very client: that is the operator's mistake, and one probe in five
 * minutes then stands for all of its grants, whoever wants one renewed. A refresh that an app asks for by name is such a probe.
 * Never throws.
 */
export async function refreshUnlessPaused(
  parts: GrantParts,
  read: InstanceRead,
  request: RefreshRequest,
  call: Call,
): Promise<RefreshResult | Paused> {
  const { refreshGroup } = read.instance;
  const now = latestNow(read.reading, parts.monotonic());
  // Where nobody can look, the grant's own back-off has to do.
  const pause = await parts.pauses.check(refreshGroup, now).catch(() => ({ kind: "open" }) as const);
  if (pause.kind === "until" && request.cause !== "forced") {
    return { kind: "paused", until: pause.until, retryAfterMs: pause.until - now };
  }
  const result = await refreshGrant(parts, read, request, call);
  if (result.kind === "failed" && result.outcome === "client_refused") {
    await parts.pauses.pause(refreshGroup, now).catch(() => {});
  }
  if (result.kind === "refreshed" && pause.kind !== "open") {
    await parts.pauses.resume(refreshGroup).catch(() => {});
  }
  return result;
}
