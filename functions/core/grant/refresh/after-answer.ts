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

/** Step 5: stores, keeps or ends the grant, depending on the vendor's answer. */
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
      // Sending an old refresh token again may end the whole grant. So it is not sent before the lease has
      // expired and the rescue bucket has been checked. Where the vendor does not rotate, sending it again is
      // harmless.
      if (connector.oauth2.refreshToken?.rotates !== false) {
        if (!revives) tellFailure(deps, call, read, "lease", errorCode(outcome));
        return failed(attempt, "unreachable", deps.timing.callerPatienceMs);
      }
      break;
  }
  return await afterRefusal(attempt, outcome, words);
}

/** The new grant of this refresh. */
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

/** The grant is unchanged: releases the lease and stores the failure, or gives the grant up. */
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
  // A grant whose refusals are counted stays on the due index even if nobody uses it, so that the worker can
  // give it up.
  const dueAt = change.dueAt ?? change.retryAt + deps.timing.dueRetryMaxMs;
  const left = { ...change, ...(judged === undefined ? {} : { refusals: judged.refusals, dueAt }) };
  if (await letGo(deps, lease, left)) tellFailure(deps, call, read, "attempts", change.lastError, words);
  return failed(attempt, failureOf(outcome), change.retryInMs, words);
}

/**
 * The vendor renewed the grant, but no header can carry the new access token. The new refresh token may be the
 * only valid one, so it is kept beside the old access token. `undefined`: there is no new refresh token, and
 * the old grant stays.
 */
function withRotatedToken(old: Grant, { refreshToken }: TokenResponse): Grant | undefined {
  return refreshToken === undefined || refreshToken === old.refreshToken
    ? undefined
    : { ...old, refreshToken };
}

/** RELEASE, with the changes that the attempt makes. @returns whether it was written */
async function letGo(deps: GrantDeps, lease: Lease, change: ReleaseChange): Promise<boolean> {
  const release = withTimeout(deps, deps.timing.storeTryMs, releaseLease(deps, lease, change));
  return await release.catch(() => false);
}

/**
 * The vendor again answers `invalid_grant` for a dead grant. Stores this: a grant whose refresh token the
 * vendor saw twice is not tried again, and a death without a date (of an earlier version of Linkspan) gets one.
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

/**
 * Step 5, `invalid_grant` or a refusal that counts as one: marks that only a new sign-in helps, unless the
 * version or fence has changed.
 */
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
    // The write was refused: the version has changed, or this is the second try of a write whose first answer
    // was lost.
    const { value: found } = await deps.instances.get(id);
    count("reused");
    return found !== undefined && needsReauthentication(found) ? { kind: "needs_reauth" } : { kind: "moved" };
  } catch {
    return failed(attempt, "unreachable");
  }
}
