import { type Grant, type Instance, needsReauthentication } from "../../instances/instance.ts";
import { connectorOf } from "../connector-of.ts";
import { noteAccount } from "../consent/account.ts";
import { hasUnknownAccount } from "../consent/key.ts";
import type { Call, GrantDeps, InstanceRead, RefreshCause, WorkerDeps } from "../grant-deps.ts";
import { endPendingsOf } from "../pending/settle-pending.ts";
import { wasJustRefreshed } from "../refresh/access-token.ts";
import { refreshUnlessPaused } from "../refresh/client-pauses.ts";
import { finishDeletion } from "../revocation/delete-instance.ts";
import { endReplaced } from "../sign-in/replaced-grants.ts";
import { isRevivable } from "../store/death.ts";
import { dueTimeOf, dueWithCleanup, isAlmostOver, isDue, isRenewable, owedSince } from "../store/due.ts";
import { openGrant } from "../store/sealed-grant.ts";
import { isAhead, latestNow, leaseIsHeld } from "../timing.ts";
import { buryDead } from "./bury-dead.ts";

/** A refresh request from the queue, which delivers at least once, in any order. */
export interface RefreshWork {
  readonly instanceId: number;
  readonly cause: RefreshCause;
  /** The version to renew. Absent: the stored one, if it is due. */
  readonly version?: number;
}

/**
 * Handles one instance of the queue, in the worker: checks itself whether there is still something to do. A
 * refresh that fails sets its own next time and resolves. Throws only if the instance could not be checked;
 * then the message is delivered again.
 */
export async function refreshDue(deps: WorkerDeps, work: RefreshWork, call: Call): Promise<void> {
  const { value: instance, reading } = await deps.instances.get(work.instanceId);
  if (instance === undefined) return;
  const now = latestNow(reading, deps.monotonic());
  if (instance.deleting === true) {
    await endPendingsOf(deps, instance, now, call);
    return await finishDeletion(deps, instance.id, call);
  }
  const settle = (due: number | undefined, owed?: number) => settleDue(deps, instance, now, due, owed);
  if (instance.replacedGrants !== undefined) call.afterAnswer(endReplaced(deps, instance));
  const read: InstanceRead = { instance, reading };
  if (needsReauthentication(instance)) {
    if (work.cause === "revive") return await revive(deps, read, work, now, call);
    const buried = await buryDead(deps, instance, now);
    if (buried !== "written") await settle(buried.due);
    return;
  }
  if (!instance.enabled) return await settle(undefined);
  // If the grant was revived meanwhile, the request counts as a scheduled one.
  const cause = work.cause === "revive" ? "schedule" : work.cause;
  const leave = (outcome: "reused" | "waited" | "client_refused"): void =>
    deps.outcome({ outcome, connector: instance.connector, instanceId: instance.id, cause });

  if (work.version !== undefined && work.version !== instance.version) return leave("reused");
  if (leaseIsHeld(instance, reading)) return leave("waited");
  if (instance.retryAt !== undefined && isAhead(instance.retryAt, now, deps.timing)) {
    leave("waited");
    return await settle(instance.retryAt, instance.dueSince ?? instance.dueAt);
  }
  const grant = await openGrant(deps.vault, instance, instance.version, instance.grant);
  if (!isWanted(deps, cause, instance, grant, now)) {
    leave("reused");
    if (cause !== "schedule") return;
    const due = dueTimeOf(deps, connectorOf(deps, instance.connector), grant, instance, now);
    return await settle(due);
  }
  const refresh = refreshUnlessPaused(deps, read, grant.client, { cause, wanted: instance.version }, call);
  call.afterAnswer(refresh);
  const result = await refresh;
  if (result.kind === "paused") {
    leave("client_refused");
    // Adds a random wait, so that not all grants come due at once when the pause ends.
    const until = result.until + deps.random() * deps.timing.pausedClientMs;
    return await settle(until, owedSince(instance, grant));
  }
  if (result.kind === "blocked") leave("waited");
  const connector = connectorOf(deps, instance.connector);
  const isKnown = instance.account !== undefined && !hasUnknownAccount(connector, instance);
  if (result.kind === "refreshed" && !isKnown) {
    // Repeated at each refresh while the account is unknown: until then, a sign-in with another account is not
    // noticed. And where revocation ends the whole consent, no consent of this client is revoked, because it
    // might be this instance's (revocation/delete-instance.ts).
    call.afterAnswer(noteAccount(deps, connector, result.instance, result.grant));
  }
}

/** Refreshes a dead grant once more, for its operator or its app. Any result other than a grant changes nothing. */
async function revive(
  deps: WorkerDeps,
  read: InstanceRead,
  work: RefreshWork,
  now: number,
  call: Call,
): Promise<void> {
  const { instance, reading } = read;
  const leave = (): void =>
    deps.outcome({
      outcome: "waited",
      connector: instance.connector,
      instanceId: instance.id,
      cause: "revive",
    });
  if (!isRevivable(instance) || leaseIsHeld(instance, reading)) return leave();
  if (work.version !== undefined && work.version !== instance.version) return leave();
  // The queue may deliver a message twice.
  if (wasForcedLately(deps, instance, now)) return leave();
  const grant = await openGrant(deps.vault, instance, instance.version, instance.grant);
  const refresh = refreshUnlessPaused(
    deps,
    read,
    grant.client,
    { cause: "revive", wanted: instance.version },
    call,
  );
  call.afterAnswer(refresh);
  const { kind } = await refresh;
  if (kind === "paused" || kind === "blocked") leave();
}

function wasForcedLately(deps: Pick<GrantDeps, "timing">, { forcedAt }: Instance, now: number): boolean {
  return forcedAt !== undefined && now - forcedAt < deps.timing.forcedMs;
}

function isWanted(
  deps: GrantDeps,
  cause: RefreshCause,
  instance: Instance,
  grant: Grant,
  now: number,
): boolean {
  const connector = connectorOf(deps, instance.connector);
  if (!isRenewable(connector, grant, now, deps.timing)) return false;
  if (cause === "forced") return !wasForcedLately(deps, instance, now);
  if (cause === "unauthorized")
    return !wasJustRefreshed(deps, grant, now) && !wasForcedLately(deps, instance, now);
  if (cause === "just_in_time") return isAlmostOver(grant, now, deps.timing);
  // Even an idle grant is refreshed while refusals are counted, until it works again or is given up
  // (refresh/refusals.ts).
  if (instance.refusals?.version === instance.version) return true;
  return isDue(deps, connector, grant, instance, now);
}

/**
 * Corrects the due index where there is nothing to do now, unless the item has changed meanwhile.
 * @param owed since when a refresh is overdue nevertheless
 */
async function settleDue(
  deps: GrantDeps,
  instance: Instance,
  now: number,
  due: number | undefined,
  owed?: number,
): Promise<void> {
  if (instance.dueAt === undefined) return;
  const to = dueWithCleanup(instance, due === undefined ? undefined : Math.floor(due), now, deps.timing);
  const { id, dueAt, epoch } = instance;
  await deps.instances.setDueAt(id, dueAt, to, owed, epoch);
}
