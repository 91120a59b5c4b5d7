import type { Connector } from "../../../connectors/define-connector.ts";
import { type Grant, type Instance, needsReauthentication } from "../../instances/instance.ts";
import type { TokenResponse } from "../../oauth/ports.ts";
import type { GrantDeps } from "../grant-deps.ts";
import { DUE_JITTER, DUE_SHARE, KEEP_ALIVE_SHARE, type Timing } from "../timing.ts";

type Clockwork = Pick<GrantDeps, "timing" | "random" | "activeWindowMs">;

/**
 * When an access token expires, by the store's time; rounded down, so that it is never used too long.
 * @param sentAt the earliest store time at which the token request can have been sent
 * @returns empty: unknown, so the token is refreshed only on a vendor's 401
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

/** Whether so little time is left that the token is renewed before it is used. */
export function isAlmostOver(grant: Grant, now: number, timing: Timing): boolean {
  if (grant.expiresAt === undefined) return false;
  const lifetime = grant.expiresAt - grant.obtainedAt;
  return now >= grant.expiresAt - Math.min(timing.justInTimeMs, lifetime / 10);
}

/**
 * Whether the access token may be sent to the vendor. Without a refresh token it always may, because there is
 * no better one.
 */
export function isValid(grant: Grant, now: number): boolean {
  return grant.expiresAt === undefined || grant.refreshToken === undefined || now < grant.expiresAt;
}

/**
 * The time from which the vendor can renew the grant. A long-lived token is not renewed before its minimum age,
 * counted from the latest time at which the vendor can have issued it, with a margin for clock skew.
 * @returns store time, 0 where the vendor does not check the age; undefined: never, because there is no refresh
 *   token
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

/** Whether the instance was used lately, so that a refresh ahead of time is useful. */
export function isActive(
  instance: Pick<Instance, "createdAt" | "lastUsedAt">,
  now: number,
  activeWindowMs: number,
): boolean {
  return now - (instance.lastUsedAt ?? instance.createdAt) < activeWindowMs;
}

/**
 * When a grant comes due. While it is in use: at about three quarters of its token's lifetime. While it is
 * idle: at half of the refresh token's idle lifetime, if the vendor ends idle refresh tokens; otherwise never
 * (`undefined`). A long-lived token is renewed like an idle refresh token, by its own lifetime. If its age is
 * unknown (an import), it is renewed as soon as possible, because the answer contains its lifetime. A
 * short-lived token is soon exchanged for a long-lived one.
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
 * When the schedule refreshes a grant next, as far as is known now. The due time may be that of other work (to
 * revoke a replaced grant), and may be before the end of a back-off.
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

/** Whether a refresh is due now; counts from the earliest due time that jitter can give. */
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
 * Since when a postponed refresh is overdue, but not before its token has expired. Until then calls work, and
 * other alarms report trouble of the vendor or the operator.
 */
export function owedSince(
  instance: Pick<Instance, "dueAt" | "dueSince">,
  grant: Pick<Grant, "expiresAt">,
): number | undefined {
  const first = instance.dueSince ?? instance.dueAt;
  return first === undefined ? undefined : Math.max(first, grant.expiresAt ?? 0);
}

/**
 * A due time within minutes while replaced grants are left, because a worker must revoke them
 * (sign-in/replaced-grants.ts); otherwise the regular one.
 */
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

/** Spreads the due times of grants that were connected or imported together. */
function jitter(deps: Clockwork): number {
  return (deps.random() * 2 - 1) * DUE_JITTER;
}
