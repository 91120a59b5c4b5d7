import {
  Conflict,
  Forbidden,
  LinkspanError,
  NeedsReauthentication,
  NotSupported,
  Unauthorized,
  Unavailable,
  VendorError,
} from "../../errors.ts";
import {
  type Grant,
  type Instance,
  needsReauthentication,
  type OAuthClient,
} from "../../instances/instance.ts";
import { present } from "../../present.ts";
import { connectorOf } from "../connector-of.ts";
import type { Call, GrantDeps, InstanceRead } from "../grant-deps.ts";
import { deathOf, isRevivableByApp } from "../store/death.ts";
import { dueTimeOf, isActive, isAlmostOver, isRenewable, isValid, renewableAt } from "../store/due.ts";
import { openGrant } from "../store/sealed-grant.ts";
import { isAhead, latestNow, leaseIsHeld } from "../timing.ts";
import { TimedOut, withTimeout } from "../with-timeout.ts";
import { refreshUnlessPaused } from "./client-pauses.ts";
import { hasEnded } from "./ended-token.ts";

/** The access token for a call to the vendor, with what else the call needs. Lives in memory only. */
export interface AccessToken {
  readonly value: string;
  /** Version of the grant that the token belongs to: `tokenAfterUnauthorized` asks for a token of another version. */
  readonly version: number;
  /**
   * Store time, epoch milliseconds: the token must not be sent from then on. Absent: unknown, or the token
   * cannot be renewed.
   */
  readonly expiresAt?: number;
  /** Store time at which the vendor issued it. Absent: it was imported. */
  readonly obtainedAt?: number;
  /** Values for the URLs that it may be sent to (core/endpoint/endpoint.ts). */
  readonly endpoint?: Readonly<Record<string, string>>;
  readonly extra?: Readonly<Record<string, string>>;
  /** As the vendor reported it. */
  readonly scope?: string;
  readonly instance: Instance;
}

/**
 * The access token of an instance, renewed just in time when little time is left. A valid token costs nothing:
 * no read, no write, no KMS call beyond the cached key.
 * @param read the instance as the authorization of this same call read it
 * @throws {NeedsReauthentication} the vendor has ended the grant
 * @throws {Unavailable} no valid token within the time that a caller waits; says when to try again
 */
export async function currentAccessToken(
  deps: GrantDeps,
  read: InstanceRead,
  call: Call,
): Promise<AccessToken> {
  const patienceEnds = deps.monotonic() + deps.timing.callerPatienceMs;
  let current = read;
  for (;;) {
    refuseUnusable(current.instance);
    const grant = await open(deps, current.instance);
    const now = (): number => latestNow(current.reading, deps.monotonic());
    const serve = (): AccessToken => {
      noteUse(deps, current.instance, grant, now(), call);
      return accessToken(current.instance, grant);
    };
    if (!isAlmostOver(grant, now(), deps.timing) || !canRenew(deps, current.instance, grant, now()))
      return serve();
    const renewed = await renew(
      deps,
      current,
      grant.client,
      { cause: "just_in_time", waits: !isValid(grant, now()), patienceEnds },
      call,
    );
    if (renewed.kind === "renewed") {
      noteUse(deps, renewed.token.instance, renewed.grant, now(), call);
      return renewed.token;
    }
    if (renewed.kind === "moved") {
      current = renewed.read;
      continue;
    }
    if (isValid(grant, now())) return serve();
    throw notNow(renewed.retryAfterMs);
  }
}

/**
 * Another access token than the one that the vendor just answered with 401, for one replay: a newer stored
 * token, or else the token of one forced refresh. `undefined`: there is none, and the vendor's 401 stands. At
 * most one forced refresh per grant in 60 s, and none while the vendor does not renew the token yet. A token
 * that has expired since it was sent is renewed like any other.
 * @throws {NeedsReauthentication} the vendor has ended the grant: the forced refresh showed this, or (without
 *   refresh token) a further 401
 */
export async function tokenAfterUnauthorized(
  deps: GrantDeps,
  instanceId: number,
  usedVersion: number,
  call: Call,
): Promise<AccessToken | undefined> {
  const patienceEnds = deps.monotonic() + deps.timing.callerPatienceMs;
  const read = await readAgain(deps, instanceId);
  refuseUnusable(read.instance);
  const grant = await open(deps, read.instance);
  if (read.instance.version !== usedVersion) return accessToken(read.instance, grant);
  const now = latestNow(read.reading, deps.monotonic());
  if (grant.refreshToken === undefined) {
    if (await hasEnded(deps, read, grant, call)) throw new NeedsReauthentication();
    return undefined;
  }
  if (!canRenew(deps, read.instance, grant, now)) return undefined;
  if (wasJustRefreshed(deps, grant, now)) return undefined;
  const cause = isAlmostOver(grant, now, deps.timing) ? "just_in_time" : "unauthorized";
  const renewed = await renew(deps, read, grant.client, { cause, waits: true, patienceEnds }, call);
  if (renewed.kind === "renewed") return renewed.token;
  if (renewed.kind === "unchanged") return undefined;
  refuseUnusable(renewed.read.instance);
  return accessToken(renewed.read.instance, await open(deps, renewed.read.instance));
}

/**
 * Who asks for a refresh: `owner` has the user's secret, `token` has only an instance token. Only the owner may
 * override a back-off that the vendor asked for, and retry a dead grant.
 */
export type Asker = "owner" | "token";

/**
 * A refresh that the app asks for, even if the token is still valid. At most one a minute, whether the last one
 * succeeded or failed. The owner may also refresh a dead grant: once an hour, for two days after its death,
 * because an incident of the vendor may have looked like the end of the grant.
 * @throws {NotSupported} the grant has no refresh token
 * @throws {Conflict} `not_renewable_yet`: the token is too young for the vendor to renew it
 * @throws {LinkspanError} 429 with Retry-After: `refresh_too_soon`, or `vendor_rate_limited` while the vendor
 *   asks to wait
 * @throws {NeedsReauthentication} the grant is dead
 */
export async function forceRefresh(
  deps: GrantDeps,
  instanceId: number,
  call: Call,
  asker: Asker = "token",
): Promise<AccessToken> {
  const patienceEnds = deps.monotonic() + deps.timing.callerPatienceMs;
  const read = await readAgain(deps, instanceId);
  const askedAt = latestNow(read.reading, deps.monotonic());
  const revives = asker === "owner" && isRevivableByApp(read.instance, askedAt, deps.timing);
  const cause = revives ? "revive" : "forced";
  refuseUnusable(read.instance, cause);
  const grant = await open(deps, read.instance);
  if (grant.refreshToken === undefined) {
    throw new NotSupported("a refresh: this grant came without a refresh token", read.instance.connector);
  }
  const from = renewableAt(connectorOf(deps, read.instance.connector), grant, deps.timing) ?? 0;
  const youngMs = from - latestNow(read.reading, deps.monotonic());
  if (youngMs > 0) {
    throw new Conflict("the vendor does not renew a token so young; try again later", "not_renewable_yet", {
      retryAfterSeconds: Math.ceil(youngMs / 1000),
    });
  }
  const renewed = await renew(deps, read, grant.client, { cause, waits: true, patienceEnds, asker }, call);
  if (renewed.kind === "renewed") return renewed.token;
  if (renewed.kind === "unchanged") throw notRefreshed(renewed);
  refuseUnusable(renewed.read.instance);
  return accessToken(renewed.read.instance, await open(deps, renewed.read.instance));
}

/**
 * Whether a token was renewed within the last minute: then a vendor's 401 causes no forced refresh. `false` for
 * a token of a first exchange or an import, and for a token that is almost over: a token with a lifetime of 5 s
 * may be refreshed after 5 s.
 */
export function wasJustRefreshed(deps: Pick<GrantDeps, "timing">, grant: Grant, now: number): boolean {
  if (isAlmostOver(grant, now, deps.timing)) return false;
  return grant.obtainedBy === "refresh" && now - grant.obtainedAt < deps.timing.forcedMs;
}

function canRenew(deps: GrantDeps, instance: Instance, grant: Grant, now: number): boolean {
  return isRenewable(connectorOf(deps, instance.connector), grant, now, deps.timing);
}

type Renewal =
  | { readonly kind: "renewed"; readonly token: AccessToken; readonly grant: Grant }
  /** Another version is stored now. */
  | { readonly kind: "moved"; readonly read: InstanceRead }
  | {
      readonly kind: "unchanged";
      readonly retryAfterMs: number;
      /** Why nothing was tried: a refresh was forced lately, or the vendor asked us to wait. */
      readonly why?: "too_soon" | "asked";
    };

interface RenewalRequest {
  readonly cause: "just_in_time" | "unauthorized" | "forced" | "revive";
  readonly waits: boolean;
  readonly patienceEnds: number;
  readonly asker?: Asker;
}

/** Why a refresh may not begin yet, and for how long. @returns undefined: it may begin */
function holdBack(
  { timing }: GrantDeps,
  instance: Instance,
  { cause, asker }: RenewalRequest,
  now: number,
): Extract<Renewal, { kind: "unchanged" }> | undefined {
  const wait = (until: number | undefined, why?: "too_soon" | "asked") => {
    if (until === undefined || !isAhead(until, now, timing)) return undefined;
    const retryAfterMs = Math.min(until - now, timing.retryAfterMaxMs);
    return { kind: "unchanged", retryAfterMs, ...present({ why }) } as const;
  };
  const { forcedAt, retryAt, askedUntil } = instance;
  // A `forcedAt` from before the death is that of the refresh that found the grant dead; it does not count as a
  // revive.
  const wasRevived = cause === "revive" && (forcedAt ?? 0) > (deathOf(instance)?.at ?? 0);
  const every = wasRevived ? timing.reviveEveryMs : timing.forcedMs;
  const tooSoon = wait(forcedAt === undefined ? undefined : forcedAt + every, "too_soon");
  switch (cause) {
    case "just_in_time":
      return wait(retryAt);
    case "unauthorized":
      return tooSoon ?? wait(retryAt);
    case "forced":
    case "revive":
      return tooSoon ?? (asker === "owner" ? undefined : wait(askedUntil, "asked"));
  }
}

/**
 * Refreshes the version that was read, or waits while another process does. Waits only as long as a caller
 * waits; the refresh itself continues after that.
 */
async function renew(
  deps: GrantDeps,
  read: InstanceRead,
  client: OAuthClient,
  request: RenewalRequest,
  call: Call,
): Promise<Renewal> {
  const wanted = read.instance.version;
  const left = (): number => request.patienceEnds - deps.monotonic();
  let current = read;
  let waiting = false;
  let tried = false;
  for (let pause = deps.timing.pollMs; ; pause = Math.min(pause * 2, deps.timing.pollMaxMs)) {
    if (current.instance.version !== wanted) return { kind: "moved", read: current };
    const now = latestNow(current.reading, deps.monotonic());
    const heldBack = holdBack(deps, current.instance, request, now);
    if (leaseIsHeld(current.instance, current.reading)) {
      // Another process holds the lease.
    } else if (heldBack !== undefined) {
      return heldBack;
    } else if (call.remainingMs() < deps.timing.functionTimeMs) {
      if (!tried) await deps.enqueueRefresh(current.instance, request.cause).catch(() => {});
      tried = true;
    } else if (!tried) {
      // The token request must begin soon after the item was read. If the reading is old (after a slow upload),
      // its lease and `forcedAt` are out of date: read again.
      if (current === read && deps.monotonic() - read.reading.monotonicMs > deps.timing.readAgeMs) {
        current = await readAgain(deps, read.instance.id);
        refuseUnusable(current.instance, request.cause);
        continue;
      }
      tried = true;
      const ended = await tryOnce(deps, current, client, request, call);
      if (ended !== undefined) return ended;
      // Another process took the lease first: read the item now, then poll.
      current = await readAgain(deps, read.instance.id);
      refuseUnusable(current.instance, request.cause);
      if (current.instance.version !== wanted) return { kind: "moved", read: current };
    }
    if (!request.waits || left() <= 0) return { kind: "unchanged", retryAfterMs: deps.timing.retryMs };
    if (!waiting) {
      waiting = true;
      const { id, connector } = current.instance;
      deps.outcome({ outcome: "waited", connector, instanceId: id, cause: request.cause });
    }
    await deps.sleep(Math.min(left(), pause * (0.5 + deps.random())));
    current = await readAgain(deps, read.instance.id);
    refuseUnusable(current.instance, request.cause);
  }
}

/**
 * Refreshes what was read, and waits for the result as long as a caller waits.
 * @returns undefined: another process has refreshed the grant, or is doing so
 * @throws {NeedsReauthentication} the vendor has ended the grant
 */
async function tryOnce(
  deps: GrantDeps,
  read: InstanceRead,
  client: OAuthClient,
  { cause, patienceEnds }: RenewalRequest,
  call: Call,
): Promise<Renewal | undefined> {
  const unchanged = (retryAfterMs = deps.timing.retryMs): Renewal => ({ kind: "unchanged", retryAfterMs });
  const wanted = read.instance.version;
  const refresh = refreshUnlessPaused(deps, read, client, { cause, wanted }, call);
  call.afterAnswer(refresh);
  let result: Awaited<typeof refresh>;
  try {
    result = await withTimeout(deps, patienceEnds - deps.monotonic(), refresh);
  } catch (error) {
    if (error instanceof TimedOut) return unchanged();
    throw error;
  }
  switch (result.kind) {
    case "refreshed":
      return { kind: "renewed", token: accessToken(result.instance, result.grant), grant: result.grant };
    case "needs_reauth":
      throw new NeedsReauthentication();
    case "failed":
    case "paused":
      return unchanged(result.retryAfterMs);
    case "nothing_to_refresh":
      return unchanged();
    case "blocked":
    case "moved":
      return undefined;
  }
}

/** @throws {Unavailable} the table does not answer */
async function readAgain(deps: GrantDeps, instanceId: number): Promise<InstanceRead> {
  let read: Awaited<ReturnType<GrantDeps["instances"]["get"]>>;
  try {
    read = await deps.instances.get(instanceId);
  } catch (error) {
    throw new Unavailable("the connection cannot be read right now", "unavailable", 2, error);
  }
  if (read.value === undefined) throw gone();
  return { instance: read.value, reading: read.reading };
}

function gone(): Unauthorized {
  return new Unauthorized("this instance has been deleted");
}

function refuseUnusable(instance: Instance, cause?: RenewalRequest["cause"]): void {
  if (instance.deleting === true) throw gone();
  if (!instance.enabled) throw new Forbidden("this instance is disabled", "instance_disabled");
  if (cause !== "revive" && needsReauthentication(instance)) throw new NeedsReauthentication();
}

function notRefreshed({ why, retryAfterMs }: Extract<Renewal, { kind: "unchanged" }>): LinkspanError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  if (why === "too_soon") {
    return new LinkspanError(
      429,
      "refresh_too_soon",
      `a refresh of this instance was requested a short time ago; try again in ${seconds} s`,
      { headers: { "Retry-After": String(seconds) } },
    );
  }
  if (why === "asked") {
    return new VendorError(
      429,
      "vendor_rate_limited",
      "the vendor asked us to wait; only a call with the user's secret overrides this",
      { retryAfterSeconds: seconds },
    );
  }
  return notNow(retryAfterMs);
}

function notNow(retryAfterMs: number): Unavailable {
  return new Unavailable(
    "the vendor's access token has expired and could not be renewed yet; try again",
    "token_unavailable",
    Math.max(1, retryAfterMs / 1000),
  );
}

function open(deps: GrantDeps, instance: Instance): Promise<Grant> {
  return openGrant(deps.vault, instance, instance.version, instance.grant);
}

function accessToken(instance: Instance, grant: Grant): AccessToken {
  return {
    value: grant.accessToken,
    version: instance.version,
    ...(grant.expiresAt === undefined || grant.refreshToken === undefined
      ? {}
      : { expiresAt: grant.expiresAt }),
    ...(grant.obtainedBy === "import" ? {} : { obtainedAt: grant.obtainedAt }),
    ...present({ endpoint: grant.endpoint, extra: grant.extra, scope: grant.scope }),
    instance,
  };
}

/** Notes after the answer, at most once a day, that the grant is in use. A grant that was idle gets a due time again. */
function noteUse(deps: GrantDeps, instance: Instance, grant: Grant, now: number, call: Call): void {
  if (instance.lastUsedAt !== undefined && now - instance.lastUsedAt < deps.timing.touchMs) return;
  const due = isActive(instance, now, deps.activeWindowMs)
    ? undefined
    : dueTimeOf(
        deps,
        connectorOf(deps, instance.connector),
        grant,
        { createdAt: instance.createdAt, lastUsedAt: now },
        now,
      );
  // Due from now at the earliest, not from when it would have been due: an idle grant is not overdue.
  const dueFromNow = due === undefined ? undefined : Math.max(due, now);
  // Best effort: if this fails, the next call notes the use.
  call.afterAnswer(deps.instances.touch(instance.id, now, dueFromNow).catch(() => false));
}
