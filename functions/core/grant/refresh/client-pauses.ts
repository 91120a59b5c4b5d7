import { createHash } from "node:crypto";
import type { Instance, OAuthClient } from "../../instances/instance.ts";
import type { TransientItem, TransientStore } from "../../transients.ts";
import type { Call, ClientPauses, GrantDeps, InstanceRead } from "../grant-deps.ts";
import { latestNow, type Timing } from "../timing.ts";
import type { RefreshRequest, RefreshResult } from "./attempt.ts";
import { refreshGrant } from "./refresh.ts";

/** Nothing was tried: the vendor refuses this grant's client, and the next probe is not due yet. */
export interface Paused {
  readonly kind: "paused";
  /** Store time of the next probe. */
  readonly until: number;
  readonly retryAfterMs: number;
}

/**
 * Refreshes a grant, unless the vendor refuses the grant's client. A refused client is the operator's mistake,
 * so one probe in five minutes replaces the refreshes of all its grants. A forced refresh is such a probe.
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

/**
 * What the result shows about the client. A dead grant shows that the client was accepted (RFC 6749, section
 * 5.2). `busy`: the vendor asks us to wait.
 */
function toldOfClient(result: RefreshResult): "accepted" | "refused" | "busy" | "nothing" {
  if (result.kind === "refreshed" || result.kind === "needs_reauth") return "accepted";
  if (result.kind !== "failed") return "nothing";
  if (result.outcome === "client_refused") return "refused";
  if (result.outcome === "lost") return "accepted";
  return result.outcome === "refused" ? "busy" : "nothing";
}

interface Pause extends TransientItem {
  /** Store time from which one worker may probe. */
  readonly probeAt: number;
}

const DAY = 86_400_000;

/**
 * Key of one pause: one registered app of an organization, or one client id and secret that an organization sent itself. A
 * pause does not affect other organizations, and a pause for an old secret does not affect grants with the new secret.
 */
export function pauseKey(
  { organizationId, connector }: Pick<Instance, "organizationId" | "connector">,
  client: OAuthClient,
): string {
  const digest = (...deps: readonly string[]): Buffer =>
    createHash("sha256")
      .update(JSON.stringify([organizationId, connector, client.kind, ...deps]))
      .digest();
  if (client.kind === "registered") return digest(client.appId).toString("base64url").slice(0, 16);
  // Sixteen bits are enough to tell two secrets apart, but too few for a reader of the table to check a guess.
  const secret = digest(client.id, client.secret).toString("hex").slice(0, 4);
  return `${digest(client.id).toString("base64url").slice(0, 16)}-${secret}`;
}

/**
 * Ends the pause of a client that the vendor has just accepted in a sign-in. Best effort: if it fails, the next
 * probe ends the pause.
 */
export async function endPause(
  { pauses }: { readonly pauses: ClientPauses },
  organizationId: string,
  connector: string,
  client: OAuthClient,
): Promise<void> {
  await pauses.resume(pauseKey({ organizationId, connector }, client)).catch(() => {});
}

/**
 * Stores in the transients table which clients their vendors refuse (`paused#<key>`). A refused client is the
 * operator's mistake and no grant is lost by it, so the vendor gets one request per interval instead of one per
 * grant.
 */
export function clientPauses(transients: TransientStore, timing: Timing): ClientPauses {
  const idOf = (key: string): string => `paused#${key}`;
  const pauseUntil = (id: string, now: number, probeAt: number): Pause => ({
    id,
    probeAt,
    expiresAt: now + DAY,
  });
  return {
    async check(key, now) {
      const id = idOf(key);
      const pause = await transients.get<Pause>(id);
      if (pause === undefined) return { kind: "open" };
      if (pause.probeAt > now) return { kind: "until", until: pause.probeAt };
      const until = now + timing.pausedClientMs;
      const mine = await transients.replace<Pause>(pauseUntil(id, now, until), {
        field: "probeAt",
        seen: pause.probeAt,
      });
      return mine ? { kind: "probe", until } : { kind: "until", until };
    },
    async pause(key, now) {
      await transients.put(pauseUntil(idOf(key), now, now + timing.pausedClientMs));
    },
    async giveBack(key, { until }, now) {
      await transients.replace<Pause>(pauseUntil(idOf(key), now, now), { field: "probeAt", seen: until });
    },
    async resume(key) {
      await transients.remove(idOf(key));
    },
  };
}
