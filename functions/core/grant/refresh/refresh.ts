import type { Connector } from "../../../connectors/define-connector.ts";
import { endpointValues } from "../../endpoint/endpoint.ts";
import { type Grant, type Instance, needsReauthentication, type Sealed } from "../../instances/instance.ts";
import type { ReleaseChange } from "../../instances/instance-store.ts";
import type { TokenOutcome, TokenResponse } from "../../oauth/ports.ts";
import { present } from "../../present.ts";
import { StoreRefused } from "../../store-refused.ts";
import type { Sealer } from "../../vault/ports.ts";
import { announce } from "../announce.ts";
import { connectorOf } from "../connector-of.ts";
import type { Call, GrantDeps, GrantOutcome, InstanceRead, RefreshCause } from "../grant-deps.ts";
import { revokeOrphanOrDefer } from "../revocation/revoke-orphan.ts";
import { noteProof } from "../store/account.ts";
import { commit, type RefreshRecord } from "../store/commit.ts";
import { type DeathReason, deathOf, reasonOf } from "../store/death.ts";
import { dueAt, dueFor } from "../store/due.ts";
import { grantOf } from "../store/grant-of.ts";
import {
  type Hindrance,
  type Lease,
  lookForRescue,
  refreshBlocker,
  releaseLease,
  takeLease,
} from "../store/lease.ts";
import { openGrant, sealGrant } from "../store/sealed-grant.ts";
import { storeOrRescue, storeWhatItCan } from "../store/store-or-rescue.ts";
import { withNewGrant } from "../store/with-new-grant.ts";
import { earliestNow, latestNow } from "../timing.ts";
import { withTimeout } from "../with-timeout.ts";
import { type AfterFailure, afterFailure, errorCode, type Failure, failureOf } from "./after-failure.ts";
import { declareDead } from "./declare-dead.ts";
import { tellFailure, tellRecovery } from "./failure-series.ts";
import { giveUpRefused } from "./give-up-refused.ts";
import { countRefusal, isGivenUp } from "./refusals.ts";
import { type VendorWords, wordsOf } from "./vendor-words.ts";

/** How one refresh ended, for whoever asked for it. */
export type RefreshResult =
  /** The new grant, safe in the table or the rescue bucket. */
  | { readonly kind: "refreshed"; readonly instance: Instance; readonly grant: Grant }
  /** Somebody else's grant took the place, or may have: read again. */
  | { readonly kind: "moved" }
  | { readonly kind: "hindered"; readonly why: Hindrance }
  | { readonly kind: "needs_reauth" }
  /** A grant without a refresh token: good until the vendor says otherwise. */
  | { readonly kind: "nothing_to_refresh" }
  | { readonly kind: "failed"; readonly outcome: Failure; readonly retryAfterMs: number };

export interface RefreshRequest {
  /** `revive`: of a grant that is dead, and that is sent to its vendor once more. Whatever comes but a grant changes nothing. */
  readonly cause: RefreshCause;
  /** The version to be renewed; absent: whatever lies there. */
  readonly wanted?: number;
}

/** Causes that no clock of ours brings about: one in a while is allowed, and `forcedAt` remembers the last. */
const FORCED: ReadonlySet<RefreshCause> = new Set(["forced", "unauthorized", "revive"]);

const running = new WeakMap<GrantDeps, Map<number, Promise<RefreshResult>>>();

/**
 * REFRESH, steps 1 to 5 of the protocol. Callers in the same process share one that is under way. The exchange is never
 * aborted for a caller's sake: put the promise into `afterAnswer`, and wait for it as long as your patience lasts.
 * Never throws.
 */
export function refreshGrant(
  deps: GrantDeps,
  read: InstanceRead,
  request: RefreshRequest,
  call: Call,
): Promise<RefreshResult> {
  const mine = running.get(deps) ?? new Map<number, Promise<RefreshResult>>();
  running.set(deps, mine);
  const { id } = read.instance;
  const shared = mine.get(id);
  if (shared !== undefined) return shared;
  const refresh = attempt(deps, read, request, call).finally(() => mine.delete(id));
  mine.set(id, refresh);
  return refresh;
}

async function attempt(
  deps: GrantDeps,
  read: InstanceRead,
  request: RefreshRequest,
  call: Call,
): Promise<RefreshResult> {
  const { instance } = read;
  // The read was answered by now: what the lease and the key take does not come off the new token's life.
  const answeredMs = deps.monotonic();
  const count: Count = (outcome, { timeLeftMs, words } = {}) =>
    deps.outcome({
      outcome,
      connector: instance.connector,
      instanceId: instance.id,
      cause: request.cause,
      ...present({ timeLeftMs }),
      ...(words?.error === undefined ? {} : { error: words.error }),
      ...(words?.description === undefined ? {} : { errorDescription: words.description }),
    });
  const failed: Fail = (outcome, retryAfterMs = deps.timing.retryMs, words = {}) => {
    count(outcome, { words });
    return { kind: "failed", outcome, retryAfterMs };
  };
  const now = (): number => latestNow(read.reading, deps.monotonic());
  const revives = request.cause === "revive";
  const why = refreshBlocker(read, request.wanted, revives);
  if (why !== undefined) return { kind: "hindered", why };

  let old: Grant;
  let lease: Lease | undefined;
  try {
    const record = await lookForRescue(deps, read);
    if (record !== undefined) {
      if (record.kind !== "refresh")
        throw new Error(`rescue record of instance ${instance.id} is not a refresh`);
      // Where this loses to a delete or a sign-in, the rescue worker revokes what the record holds.
      count((await commit(deps, record)) === "written" ? "rescued" : "reused");
      return { kind: "moved" };
    }
    old = await openGrant(deps.vault, instance, instance.version, instance.grant);
    if (old.refreshToken === undefined) return { kind: "nothing_to_refresh" };
    lease = await takeLease(deps, read, FORCED.has(request.cause) ? now() : undefined);
  } catch {
    // Nobody can look, open or take: nothing was written that does not run out by itself.
    return failed("unreachable");
  }
  if (lease === undefined) return { kind: "hindered", why: "held" };

  const connector = connectorOf(deps, instance.connector);
  // From here on each attempt is counted once, however it ends.
  const { outcome, sentAt, sealer } = await exchange(
    deps,
    { ...read, answeredMs },
    lease,
    connector,
    old,
    old.refreshToken,
  );
  const words = wordsOf(outcome, old);
  switch (outcome.kind) {
    case "granted": {
      // A refresh token that was carried over allows what it did, not what the sign-in beside it allows.
      const { scope, askedScopes } = old.carried ?? old;
      const { refreshToken, client, endpoint, extra } = old;
      const grant = grantOf(deps, connector, outcome.response, {
        ...present({ refreshToken, scope, askedScopes, extra }),
        client,
        endpoint,
        sentAt,
        obtainedBy: "refresh",
      });
      return await storeRefreshed(
        deps,
        read,
        request,
        lease,
        { connector, old, grant, sentAt, sealer },
        call,
        count,
      );
    }
    case "unusable": {
      const grant = withRotatedToken(old, outcome.response);
      if (grant === undefined) break;
      const failure = afterFailure(deps, instance, old, outcome, now());
      const won = { connector, old, grant, sentAt, sealer, failure };
      return await storeRefreshed(deps, read, request, lease, won, call, count);
    }
    case "invalid_grant": {
      const reason = reasonOf(outcome);
      if (revives) return await stillDead(deps, lease, reason, { count, words, now: now() });
      return await endGrant(deps, read, lease, reason, { count, failed, words }, call);
    }
    case "unknown":
      // Sending an old refresh token again may end the whole grant: nobody does before the lease has run out and
      // somebody has looked into the rescue bucket. Where the vendor does not rotate, it is harmless.
      if (connector.oauth2.refreshToken?.rotates !== false) {
        if (!revives) tellFailure(deps, call, read, "lease", errorCode(outcome));
        return failed("unreachable", deps.timing.callerPatienceMs);
      }
      break;
  }
  const change = afterFailure(deps, instance, old, outcome, now());
  if (revives) {
    await letGo(deps, lease, {});
    return failed(failureOf(outcome), change.retryInMs, words);
  }
  const counted = countRefusal(instance, old, outcome, {
    cause: request.cause,
    now: now(),
    timing: deps.timing,
  });
  const judged = counted && (await isGivenUp(deps, instance, counted, now()));
  if (judged?.givenUp) return await endGrant(deps, read, lease, "refused", { count, failed, words }, call);
  // One whose refusals count stays on the due index, though nobody uses it any more: the worker brings it to its end.
  const dueAt = change.dueAt ?? change.retryAt + deps.timing.dueRetryMaxMs;
  const left = { ...change, ...(judged === undefined ? {} : { refusals: judged.refusals, dueAt }) };
  if (await letGo(deps, lease, left)) tellFailure(deps, call, read, "attempts", change.lastError, words);
  return failed(failureOf(outcome), change.retryInMs, words);
}

type Count = (
  outcome: GrantOutcome["outcome"],
  more?: { readonly timeLeftMs?: number | undefined; readonly words?: VendorWords },
) => void;
type Fail = (outcome: Failure, retryAfterMs?: number, words?: VendorWords) => RefreshResult;

/** RELEASE, with what the attempt leaves behind. @returns whether it was written */
async function letGo(deps: GrantDeps, lease: Lease, change: ReleaseChange): Promise<boolean> {
  const release = withTimeout(deps, deps.timing.storeTryMs, releaseLease(deps, lease, change));
  return await release.catch(() => false);
}

/**
 * The vendor says of a dead grant what it has said before. That is noted: a token that it saw twice is not tried again, and a
 * death without a date, of an earlier version of Linkspan, has one from here on.
 */
async function stillDead(
  deps: GrantDeps,
  lease: Lease,
  reason: DeathReason,
  { count, words, now }: { count: Count; words: VendorWords; now: number },
): Promise<RefreshResult> {
  const { instance } = lease;
  const before = deathOf(instance);
  const { timing } = deps;
  const due = before?.at === undefined ? dueFor(instance, now + timing.keepDeadMs, now, timing) : undefined;
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

/** Step 4: unwrap the key, connect, and send if there is still time. Every way that this can go wrong has its outcome. */
async function exchange(
  deps: GrantDeps,
  { reading, answeredMs }: InstanceRead & { readonly answeredMs: number },
  lease: Lease,
  connector: Connector,
  old: Grant,
  refreshToken: string,
): Promise<{ outcome: TokenOutcome; sentAt: number; sealer: Sealer }> {
  const { instance } = lease;
  let sentAt: number | undefined;
  let sealer: Sealer = deps.vault;
  try {
    sealer = await deps.vault.prepare(instance.organizationId);
    const client = await deps.clients.resolve(instance.organizationId, connector.key, old.client);
    const outcome = await deps.tokens.refresh(connector, client, {
      refreshToken,
      shortLived: old.shortLived === true,
      values: endpointValues(connector, instance.configuration, old),
      timeoutMs: deps.timing.exchangeMs,
      beforeSend: () => {
        const now = deps.monotonic();
        if (now > lease.sendBefore)
          throw new Error("too late to send: the lease might run out before the answer is stored");
        sentAt = earliestNow(reading, answeredMs, now);
      },
    });
    return { outcome, sealer, sentAt: sentAt ?? reading.dateMs };
  } catch (error) {
    const reason = error instanceof Error ? error.name : "unknown error";
    return {
      outcome: sentAt === undefined ? { kind: "never_sent", reason } : { kind: "unknown", reason },
      sealer,
      sentAt: sentAt ?? reading.dateMs,
    };
  }
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

/** Step 5, a grant: seal it with version f; COMMIT, else the rescue bucket. */
async function storeRefreshed(
  deps: GrantDeps,
  read: InstanceRead,
  request: RefreshRequest,
  lease: Lease,
  won: {
    connector: Connector;
    old: Grant;
    grant: Grant;
    sentAt: number;
    sealer: Sealer;
    /** The grant is the one from before but for its refresh token: it is tried again as after a failure. */
    failure?: AfterFailure;
  },
  call: Call,
  count: Count,
): Promise<RefreshResult> {
  const { instance, fence } = lease;
  const used = request.cause === "just_in_time" || request.cause === "unauthorized";
  const regular = dueAt(
    deps,
    won.connector,
    won.grant,
    used ? { createdAt: instance.createdAt, lastUsedAt: won.sentAt } : instance,
    won.sentAt,
  );
  const due = dueFor(instance, won.failure?.dueAt ?? regular, won.sentAt, deps.timing);
  const recordOf = (grant: Grant): (() => Promise<RefreshRecord>) => {
    let sealed: Sealed | undefined;
    return async () => {
      sealed ??= await sealGrant(won.sealer, instance, fence, grant);
      return {
        kind: "refresh",
        instanceId: instance.id,
        organizationId: instance.organizationId,
        connector: instance.connector,
        epoch: instance.epoch,
        baseVersion: instance.version,
        fence,
        grant: sealed,
        refreshedAt: won.sentAt,
        ...present({ dueAt: due }),
      };
    };
  };
  let record = recordOf(won.grant);
  let kept: Awaited<ReturnType<typeof commit>> | "rescued";
  let grant: Grant;
  try {
    ({ kept, grant } = await storeWhatItCan(won.connector, won.grant, async (each) => {
      record = recordOf(each);
      return await storeOrRescue(
        deps,
        call,
        instance.id,
        async () => await commit(deps, await record()),
        record,
      );
    }));
  } catch (error) {
    if (error instanceof StoreRefused) {
      const retryAfterMs = await giveUpRefused(deps, read, lease, won, request.cause, call);
      return { kind: "failed", outcome: "lost", retryAfterMs };
    }
    count("lost");
    return { kind: "failed", outcome: "lost", retryAfterMs: deps.timing.retryMs };
  }
  if (kept === "superseded") {
    count("reused");
    return { kind: "moved" };
  }
  if (kept === "lost") {
    const ended = await revokeOrphanOrDefer(deps, call, instance, won.grant, record);
    // What is lost is counted there; what is owed, as revoked when it is.
    if (ended !== "lost") count(ended === "revoked" ? "revoked" : "reused");
    return { kind: "moved" };
  }
  if (won.failure !== undefined) {
    const { retryInMs, ...change } = won.failure;
    // Not after a PUT: the lease has to outlast it.
    const isTold = kept === "written" && (await releaseLease(deps, lease, change));
    if (isTold) tellFailure(deps, call, read, "attempts", change.lastError);
    count("refused");
    return { kind: "failed", outcome: "refused", retryAfterMs: retryInMs };
  }
  const now = latestNow(read.reading, deps.monotonic());
  if (request.cause === "revive") {
    announce(deps, call, instance, { name: "instance.revived", at: now, of: instance.version });
    count("revived");
  } else {
    tellRecovery(deps, call, read);
    const left = won.old.expiresAt;
    count("refreshed", { timeLeftMs: left === undefined ? undefined : left - now });
  }
  const renewed = withNewGrant(instance, {
    grant: (await record()).grant,
    version: fence,
    fence,
    dueAt: due,
  });
  const refreshed = { ...renewed, lastRefreshedAt: won.sentAt };
  // What lies in the rescue bucket is no item yet: its next refresh is the proof.
  const instanceNow = kept === "written" ? await noteProof(deps, refreshed, won.sentAt) : refreshed;
  return { kind: "refreshed", grant, instance: instanceNow };
}

/** Step 5, `invalid_grant` and what stands for it: only a new sign-in helps, if this attempt is still the one that counts. */
async function endGrant(
  deps: GrantDeps,
  read: InstanceRead,
  lease: Lease,
  reason: DeathReason,
  { count, failed, words }: { count: Count; failed: Fail; words: VendorWords },
  call: Call,
): Promise<RefreshResult> {
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
    return failed("unreachable");
  }
}
