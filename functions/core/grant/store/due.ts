import type { Connector } from "../../../connectors/define-connector.ts";
import { type Grant, type Instance, needsReauthentication } from "../../instances/instance.ts";
import type { TokenResponse } from "../../oauth/ports.ts";
import type { GrantDeps } from "../grant-deps.ts";
import { DUE_JITTER, DUE_SHARE, KEEP_ALIVE_SHARE, type Timing } from "../timing.ts";

type Clockwork = Pick<GrantDeps, "timing" | "random" | "activeWindowMs">;

/**
 * When an access token ends, by the store's time: rounded against serving it too long.
 * @param sentAt the earliest that the store's time can have been when the token request was sent
 * @returns empty: unknown, so refreshed on a vendor's 401 only
 */
export function expiryOf(
  connector: Connector,
  response: Pick<TokenResponse, "expiresInMs">,
  sentAt: number,
  timing: Timing,
): Pick<Grant, "expiresAt" | "guessedExpiry"> {
  const lifetime = response.expiresInMs ?? connector.oauth2.accessToken.defaultLifetimeMs;
  if (lifetime === undefined) return {};
  return {
    expiresAt: Math.floor(sentAt + lifetime - Math.min(timing.skewMs, lifetime / 50)),
    ...(response.expiresInMs === undefined ? { guessedExpiry: true } : {}),
  };
}

/** So little is left that the token is renewed before it is used. */
export function isAlmostOver(grant: Grant, now: number, timing: Timing): boolean {
  if (grant.expiresAt === undefined) return false;
  const lifetime = grant.expiresAt - grant.obtainedAt;
  return now >= grant.expiresAt - Math.min(timing.justInTimeMs, lifetime / 10);
}

/** The access token may be sent to the vendor. Without a refresh token there is nothing better than what we have. */
export function isValid(grant: Grant, now: number): boolean {
  return grant.expiresAt === undefined || grant.refreshToken === undefined || now < grant.expiresAt;
}

/**
 * The time from which the vendor can renew the grant. A long-lived token is not renewed before its minimum age,
 * counted from the latest time at which the vendor can have issued it, with a margin for clock skew.
 * @returns store time, 0 where the vendor does not look at the age; undefined: never, there is nothing to renew it with
 */
export function renewableAt(connector: Connector, grant: Grant, timing: Timing): number | undefined {
  if (grant.refreshToken === undefined) return undefined;
  const { longLivedToken } = connector.oauth2;
  if (longLivedToken === undefined || grant.shortLived) return 0;
  return grant.obtainedAt + longLivedToken.minimumAgeMs + timing.exchangeMs + timing.skewMs;
}

/** Whether the vendor can renew the token now. */
export function isRenewable(connector: Connector, grant: Grant, now: number, timing: Timing): boolean {
  const at = renewableAt(connector, grant, timing);
  return at !== undefined && at <= now;
}

/** Used lately, so worth a refresh ahead of time. */
export function isActive(
  instance: Pick<Instance, "createdAt" | "lastUsedAt">,
  now: number,
  activeWindowMs: number,
): boolean {
  return now - (instance.lastUsedAt ?? instance.createdAt) < activeWindowMs;
}

/**
 * When a grant comes due: at about three quarters of its token's life while it is in use; at half of the refresh token's
 * idle life while it is not, where the vendor lets refresh tokens die of that; else never (`undefined`). A long-lived token
 * dies of idleness as a refresh token does, after its own life. One whose age is unknown (an import) is renewed as soon as
 * it can be: the answer tells its end. A short-lived one is exchanged for it soon.
 */
export function dueTimeOf(
  deps: Clockwork,
  connector: Connector,
  grant: Grant,
  instance: Pick<Instance, "createdAt" | "lastUsedAt">,
  now: number,
): number | undefined {
  return scheduled(deps, connector, grant, isActive(instance, now, deps.activeWindowMs), jitter(deps));
}

/**
 * When the schedule refreshes a grant next, as far as it is known now. The due time may be that of other work (a replaced grant
 * that is yet to end), and lie before the end of a back-off.
 * @returns undefined: not ahead of time
 */
export function nextRefreshAt(
  instance: Pick<Instance, "dueAt" | "retryAt" | "enabled" | "deadVersion" | "version">,
  grant: Grant,
): number | undefined {
  const { dueAt: due, retryAt = 0, enabled } = instance;
  if (due === undefined || !enabled || needsReauthentication(instance) || grant.refreshToken === undefined)
    return undefined;
  return Math.max(due, retryAt);
}

/** Whether a refresh is due now; the earliest that jitter could have put it counts. */
export function isDue(
  deps: Clockwork,
  connector: Connector,
  grant: Grant,
  instance: Pick<Instance, "createdAt" | "lastUsedAt">,
  now: number,
): boolean {
  const earliest = scheduled(
    deps,
    connector,
    grant,
    isActive(instance, now, deps.activeWindowMs),
    -DUE_JITTER,
  );
  return earliest !== undefined && earliest <= now;
}

/**
 * Since when a postponed refresh is overdue; at the earliest since its token expired. Until then calls work, and other alarms
 * report trouble of the vendor or the operator.
 */
export function owedSince(
  instance: Pick<Instance, "dueAt" | "dueSince">,
  grant: Pick<Grant, "expiresAt">,
): number | undefined {
  const first = instance.dueSince ?? instance.dueAt;
  return first === undefined ? undefined : Math.max(first, grant.expiresAt ?? 0);
}

/** On the due index soon, whatever the token says: a worker must come by for what is yet to end (sign-in/replaced-grants.ts). */
export function dueWithCleanup(
  { replacedGrants }: Pick<Instance, "replacedGrants">,
  regular: number | undefined,
  now: number,
  timing: Timing,
): number | undefined {
  if (replacedGrants === undefined) return regular;
  return Math.min(regular ?? Number.POSITIVE_INFINITY, now + timing.pushMs);
}

function scheduled(
  deps: Clockwork,
  connector: Connector,
  grant: Grant,
  active: boolean,
  share: number,
): number | undefined {
  const renewable = renewableAt(connector, grant, deps.timing);
  if (renewable === undefined) return undefined;
  if (grant.shortLived) return grant.obtainedAt + deps.timing.dueRetryMs;
  const times: number[] = [];
  const lifetime = grant.expiresAt === undefined ? undefined : grant.expiresAt - grant.obtainedAt;
  if (active && lifetime !== undefined && lifetime >= deps.timing.shortestScheduledMs)
    times.push(lifetime * (DUE_SHARE + share));
  const idleLifetime =
    connector.oauth2.longLivedToken === undefined
      ? connector.oauth2.refreshToken?.idleLifetimeMs
      : (lifetime ?? 0);
  if (idleLifetime !== undefined) times.push(idleLifetime * (KEEP_ALIVE_SHARE + share));
  if (times.length === 0) return undefined;
  return Math.max(renewable, Math.floor(grant.obtainedAt + Math.min(...times)));
}

/** Spreads what was connected or imported together. */
function jitter(deps: Clockwork): number {
  return (deps.random() * 2 - 1) * DUE_JITTER;
}
