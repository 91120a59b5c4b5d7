import type { OAuthClient } from "../../instances/instance.ts";
import type { Call, GrantDeps, InstanceRead } from "../grant-deps.ts";
import { latestNow } from "../timing.ts";
import type { RefreshRequest, RefreshResult } from "./attempt.ts";
import { pauseKey } from "./pause-client.ts";
import { refreshGrant } from "./refresh.ts";

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
 * @param client of the grant that was read
 */
export async function refreshUnlessPaused(
  deps: GrantDeps,
  read: InstanceRead,
  client: OAuthClient,
  request: RefreshRequest,
  call: Call,
): Promise<RefreshResult | Paused> {
  const key = pauseKey(read.instance, client);
  const now = latestNow(read.reading, deps.monotonic());
  // If the pauses cannot be read, the grant's own back-off is enough.
  const pause = await deps.pauses.check(key, now).catch(() => ({ kind: "open" }) as const);
  if (pause.kind === "until" && request.cause !== "forced") {
    return { kind: "paused", until: pause.until, retryAfterMs: pause.until - now };
  }
  const result = await refreshGrant(deps, read, request, call);
  const told = toldOfClient(result);
  if (told === "refused") await deps.pauses.pause(key, now).catch(() => {});
  if (told === "accepted" && pause.kind !== "open") await deps.pauses.resume(key).catch(() => {});
  if (told === "nothing" && pause.kind === "probe")
    await deps.pauses.giveBack(key, pause, now).catch(() => {});
  return result;
}

/** A dead grant shows that the client was accepted (RFC 6749, section 5.2). `busy`: the vendor asks to be left alone. */
function toldOfClient(result: RefreshResult): "accepted" | "refused" | "busy" | "nothing" {
  if (result.kind === "refreshed" || result.kind === "needs_reauth") return "accepted";
  if (result.kind !== "failed") return "nothing";
  if (result.outcome === "client_refused") return "refused";
  if (result.outcome === "lost") return "accepted";
  return result.outcome === "refused" ? "busy" : "nothing";
}
