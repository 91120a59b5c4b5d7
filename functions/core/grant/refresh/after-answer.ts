import { type Grant, needsReauthentication } from "../../instances/instance.ts";
import type { ReleaseChange } from "../../instances/instance-store.ts";
import type { TokenOutcome, TokenResponse } from "../../oauth/ports.ts";
import { present } from "../../present.ts";
import type { GrantDeps } from "../grant-deps.ts";
import { type DeathReason, deathOf, reasonOf } from "../store/death.ts";
import { dueWithCleanup } from "../store/due.ts";
import { grantOf } from "../store/grant-of.ts";
import { type Lease, releaseLease } from "../store/lease.ts";
import { withTimeout } from "../with-timeout.ts";
import { afterFailure, errorCode, failureOf } from "./after-failure.ts";
import { failed, type LeasedAttempt, type RefreshResult } from "./attempt.ts";
import { declareDead } from "./declare-dead.ts";
import type { Exchanged } from "./exchange.ts";
import { tellFailure } from "./failure-series.ts";
import { countRefusal, isGivenUp } from "./refusals.ts";
import { storeRefreshed } from "./store-refreshed.ts";
import { type VendorWords, wordsOf } from "./vendor-words.ts";

/** Step 5: what becomes of the grant, by what the vendor answered. */
export async function afterAnswer(
  attempt: LeasedAttempt,
  { outcome, sentAt, sealer }: Exchanged,
): Promise<RefreshResult> {
  const { deps, read, request, call, lease, connector, old } = attempt;
  const revives = request.cause === "revive";
  const words = wordsOf(outcome, old);
  switch (outcome.kind) {
    case "granted":
      return await storeRefreshed(attempt, {
        grant: renewed(attempt, outcome.response, sentAt),
        sentAt,
        sealer,
      });
    case "unusable": {
      const grant = withRotatedToken(old, outcome.response);
      if (grant === undefined) break;
      const failure = afterFailure(deps, lease.instance, old, outcome, attempt.now());
      return await storeRefreshed(attempt, { grant, sentAt, sealer, failure });
    }
    case "invalid_grant": {
      const reason = reasonOf(outcome);
      return await (revives ? stillDead(attempt, reason, words) : endGrant(attempt, reason, words));
    }
    case "unknown":
      // Sending an old refresh token again may end the whole grant. So it is not sent before the lease has expired and the
      // rescue bucket has been checked. Where the vendor does not rotate, it is harmless.
      if (connector.oauth2.refreshToken?.rotates !== false) {
        if (!revives) tellFailure(deps, call, read, "lease", errorCode(outcome));
        return failed(attempt, "unreachable", deps.timing.callerPatienceMs);
      }
      break;
  }
  return await afterRefusal(attempt, outcome, words);
}

/** The grant as this refresh renewed it. */
function renewed({ deps, connector, old }: LeasedAttempt, response: TokenResponse, sentAt: number): Grant {
  // A carried-over refresh token keeps the scope of its own sign-in, not the scope of the newer sign-in.
  const { scope, askedScopes } = old.carried ?? old;
  const { refreshToken, client, endpoint, extra } = old;
  return grantOf(deps, connector, response, {
    ...present({ refreshToken, scope, askedScopes, extra }),
    client,
    endpoint,
    sentAt,
    obtainedBy: "refresh",
  });
}

/** The grant is as it was: the lease goes back with what the failure leaves, or the grant is given up. */
async function afterRefusal(
  attempt: LeasedAttempt,
  outcome: TokenOutcome,
  words: VendorWords,
): Promise<RefreshResult> {
  const { deps, read, request, call, lease, old, now } = attempt;
  const { instance } = read;
  const change = afterFailure(deps, instance, old, outcome, now());
  if (request.cause === "revive") {
    await letGo(deps, lease, {});
    return failed(attempt, failureOf(outcome), change.retryInMs, words);
  }
  const counted = countRefusal(instance, old, outcome, {
    cause: request.cause,
    now: now(),
    timing: deps.timing,
  });
  const judged = counted && (await isGivenUp(deps, instance, counted, now()));
  if (judged?.givenUp) return await endGrant(attempt, "refused", words);
  // One whose refusals count stays on the due index, though nobody uses it any more: the worker brings it to its end.
  const dueAt = change.dueAt ?? change.retryAt + deps.timing.dueRetryMaxMs;
  const left = { ...change, ...(judged === undefined ? {} : { refusals: judged.refusals, dueAt }) };
  if (await letGo(deps, lease, left)) tellFailure(deps, call, read, "attempts", change.lastError, words);
  return failed(attempt, failureOf(outcome), change.retryInMs, words);
}

/**
 * The vendor renewed the grant, but no header can carry the new access token. The refresh token that came with it may be the
 * only living one, so it is kept, beside the access token from before. `undefined`: none came, the one from before goes on.
 */
function withRotatedToken(old: Grant, { refreshToken }: TokenResponse): Grant | undefined {
  return refreshToken === undefined || refreshToken === old.refreshToken
    ? undefined
    : { ...old, refreshToken };
}

/** RELEASE, with what the attempt leaves behind. @returns whether it was written */
async function letGo(deps: GrantDeps, lease: Lease, change: ReleaseChange): Promise<boolean> {
  const release = withTimeout(deps, deps.timing.storeTryMs, releaseLease(deps, lease, change));
  return await release.catch(() => false);
}

/**
 * The vendor again answers `invalid_grant` for a dead grant. This is stored: a token that it saw twice is not
 * tried again, and a death without a date, of an earlier version of Linkspan, has one from here on.
 */
async function stillDead(
  attempt: LeasedAttempt,
  reason: DeathReason,
  words: VendorWords,
): Promise<RefreshResult> {
  const { deps, lease, count } = attempt;
  const now = attempt.now();
  const { instance } = lease;
  const before = deathOf(instance);
  const { timing } = deps;
  const due =
    before?.at === undefined ? dueWithCleanup(instance, now + timing.keepDeadMs, now, timing) : undefined;
  await letGo(deps, lease, {
    ...present({ dueAt: due }),
    death: {
      version: instance.version,
      at: before?.at ?? now,
      reason: reason === "refresh_token_reused" ? reason : (before?.reason ?? reason),
      confirmedAt: now,
    },
  });
  count("still_dead", { words });
  return { kind: "needs_reauth" };
}

/** Step 5, `invalid_grant` and what stands for it: only a new sign-in helps, if this attempt is still the one that counts. */
async function endGrant(
  attempt: LeasedAttempt,
  reason: DeathReason,
  words: VendorWords,
): Promise<RefreshResult> {
  const { deps, read, call, lease, count } = attempt;
  const { id, version } = lease.instance;
  try {
    if (await declareDead(deps, read, { version, fence: lease.fence }, reason, words, call)) {
      count("needs_reauth", { words });
      return { kind: "needs_reauth" };
    }
    // Refused: the version moved on, or this is the second try of a write whose first answer was lost.
    const { value: found } = await deps.instances.get(id);
    count("reused");
    return found !== undefined && needsReauthentication(found) ? { kind: "needs_reauth" } : { kind: "moved" };
  } catch {
    return failed(attempt, "unreachable");
  }
}
