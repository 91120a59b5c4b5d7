import type { Grant, Instance, Refusals } from "../../instances/instance.ts";
import type { TokenOutcome } from "../../oauth/ports.ts";
import type { GrantDeps, RefreshCause } from "../grant-deps.ts";
import type { Timing } from "../timing.ts";

/** Statuses that are not about the grant, but about the client, the time or the rate. */
const NOT_OF_THE_GRANT: ReadonlySet<number> = new Set([401, 408, 425, 429]);

/** Codes that are not about the grant either: temporary errors, or errors in the request itself. */
const PASSING_ERRORS: ReadonlySet<string> = new Set([
  "temporarily_unavailable",
  "server_error",
  "internal_error",
  "internal_failure",
  "slow_down",
  "rate_limited",
  "rate_limit_exceeded",
  "too_many_requests",
  "unsupported_grant_type",
  "unsupported_response_type",
]);

/** Whether a refusal may be about the grant: an OAuth error body, and a status that is not about something else. */
function isOfTheGrant(outcome: TokenOutcome): boolean {
  if (outcome.kind !== "refused") return false;
  const { status, error } = outcome;
  // Without an error body, `error` is the status ("http_403"): a firewall's 403 page is no OAuth error.
  if (status >= 500 || NOT_OF_THE_GRANT.has(status) || error.startsWith("http_")) return false;
  return !PASSING_ERRORS.has(error.toLowerCase());
}

/**
 * The counted refusals of a grant, including this one. Refusals count only after the access token has expired;
 * until then it still works. An access token without a known expiry counts as expired when the vendor's API
 * refuses it. At most one refusal in twelve hours counts, so that ten are spread over days even if there are
 * many tries.
 * @returns undefined: nothing changes
 */
export function countRefusal(
  instance: Pick<Instance, "version" | "refusals">,
  grant: Pick<Grant, "expiresAt">,
  outcome: TokenOutcome,
  { cause, now, timing }: { cause: RefreshCause; now: number; timing: Timing },
): Refusals | undefined {
  if (!isOfTheGrant(outcome)) return undefined;
  const { version } = instance;
  const before = instance.refusals?.version === version ? instance.refusals : undefined;
  const hasRunOut =
    grant.expiresAt === undefined ? cause === "unauthorized" || before !== undefined : now >= grant.expiresAt;
  if (!hasRunOut) return undefined;
  if (before === undefined) return { version, count: 1, since: now, lastAt: now };
  if (now - before.lastAt < timing.refusedStepMs) return before;
  return { ...before, count: before.count + 1, lastAt: now };
}

/**
 * Whether a refused grant must be given up now. Two days before its week of refusals ends, the grant is noted.
 * So all grants of a connector that would be given up on the same day are known before the first one is: a
 * vendor that refuses many grants at once has an incident, or does not understand our requests.
 * @returns the refusals to be written
 */
export async function isGivenUp(
  deps: Pick<GrantDeps, "refused" | "timing">,
  instance: Pick<Instance, "id" | "connector">,
  refusals: Refusals,
  now: number,
): Promise<{ readonly refusals: Refusals; readonly givenUp: boolean }> {
  const { refused, timing } = deps;
  const left = { refusals, givenUp: false };
  const lasts = now - refusals.since;
  if (refused === undefined || lasts < timing.refusedMs - timing.refusedNoticeMs) return left;
  const { id, connector } = instance;
  try {
    const { noticedAt } = refusals;
    if (noticedAt === undefined || now - noticedAt > 2 * timing.refusedNoticeMs) {
      await refused.notice(connector, id, now);
      return { refusals: { ...refusals, noticedAt: now }, givenUp: false };
    }
    const isRipe =
      lasts >= timing.refusedMs &&
      refusals.count >= timing.refusedTries &&
      now - noticedAt >= timing.refusedDayMs;
    return { refusals, givenUp: isRipe && (await refused.mayEnd(connector, id, noticedAt, now)) };
  } catch {
    // A store does not answer: the next attempt asks again.
    return left;
  }
}
