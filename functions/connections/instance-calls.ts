import { NotFound } from "../core/errors.ts";
import { connectorOf } from "../core/grant/connector-of.ts";
import { setEnabled } from "../core/grant/enable.ts";
import { forceRefresh } from "../core/grant/refresh/access-token.ts";
import { markForDeletion } from "../core/grant/revocation/delete-instance.ts";
import { grantedScopes, missingScopes } from "../core/grant/scopes.ts";
import { nextRefreshAt } from "../core/grant/store/due.ts";
import { openGrant } from "../core/grant/store/sealed-grant.ts";
import { latestNow } from "../core/grant/timing.ts";
import { type Grant, type Instance, needsReauthentication } from "../core/instances/instance.ts";
import { newInstanceToken } from "../core/instances/instance-token.ts";
import { isoSeconds } from "../core/iso-seconds.ts";
import { json } from "../http/request.ts";
import type { StatusAnswer } from "./answers.ts";
import { updateInstance } from "./change-instance.ts";
import type { ConnectionHandle } from "./contracts.ts";
import type { ConnectionDeps } from "./deps.ts";
import { instanceRepresentation } from "./instance-representation.ts";
import { isPlatformCall, type OwnInstance, tokenSuperseded } from "./own-instance.ts";

export const getInstance: ConnectionHandle<"instances.get"> = async (_request, { caller }) =>
  json(instanceRepresentation(caller.instance, caller.user));

/**
 * DELETE /instances/{id}, and DELETE /instances with the token: the instance cannot be used from now on; a
 * worker revokes the grant and removes the item.
 */
export function deleteInstance(deps: () => ConnectionDeps): ConnectionHandle<"instances.delete"> {
  return async (_request, { caller: { instance } }) => {
    if (!(await markForDeletion(deps().grants, instance.id))) throw gone(instance);
    return json({});
  };
}

export function enableInstance(
  deps: () => ConnectionDeps,
  enabled: boolean,
): ConnectionHandle<"instances.enable" | "instances.disable"> {
  return async (request, { caller: { instance, user } }) => {
    const changed = await setEnabled(deps().grants, instance.id, enabled, request);
    if (changed === undefined) throw gone(instance);
    return json(instanceRepresentation(changed, user));
  };
}

/** POST /instances/{id}/token: a new instance token; the previous token stays valid for `graceSeconds` (default 0). */
export function rotateToken(deps: () => ConnectionDeps): ConnectionHandle<"instances.token"> {
  return async (request, { caller: own, body: { graceSeconds = 0 } }) => {
    const now = latestNow(own.reading, deps().grants.monotonic());
    const { token, hash } = newInstanceToken(own.instance.id);
    const last = own.instance.tokenHashes.find((each) => each.until === undefined);
    // At most two tokens are valid: a rotation during a grace period ends the older token at once.
    const grace =
      graceSeconds === 0 || last === undefined ? [] : [{ hash: last.hash, until: now + graceSeconds * 1000 }];
    const tokenHashes = [{ hash }, ...grace];
    const isByToken = own.hasNewestToken !== undefined && !isPlatformCall(request);
    const instance = isByToken
      ? await rotateNewest(deps(), own, tokenHashes, now)
      : await updateInstance(deps(), own, { tokenHashes });
    return json(instanceRepresentation(instance, own.user, token), { "Cache-Control": "no-store" });
  };
}

/**
 * Of two simultaneous rotations with the same token, only the first succeeds: after it, the other's token is
 * old.
 */
async function rotateNewest(
  deps: ConnectionDeps,
  { instance }: Pick<OwnInstance, "instance">,
  tokenHashes: Instance["tokenHashes"],
  now: number,
): Promise<Instance> {
  const newest = instance.tokenHashes.find(({ until }) => until === undefined)?.hash;
  const seen = newest === undefined ? {} : { newestToken: newest };
  if (await deps.grants.instances.update(instance.id, { tokenHashes }, now, seen)) {
    return { ...instance, tokenHashes, updatedAt: Math.max(now, instance.updatedAt) };
  }
  const { value } = await deps.grants.instances.get(instance.id);
  if (value === undefined || value.deleting === true) throw gone(instance);
  throw tokenSuperseded();
}

export function getStatus(deps: () => ConnectionDeps): ConnectionHandle<"instances.status"> {
  return async (_request, { caller }) => json(await statusOf(deps(), caller.instance));
}

/** POST /instances/{id}/refresh: gets a new access token now, however long the old one is still valid. */
export function refreshInstance(deps: () => ConnectionDeps): ConnectionHandle<"instances.refresh"> {
  return async (request, { caller: { instance } }) => {
    const asker = isPlatformCall(request) ? "owner" : "token";
    const { instance: refreshed } = await forceRefresh(deps().grants, instance.id, request, asker);
    return json(await statusOf(deps(), refreshed));
  };
}

/** Largest time of a date: https://tc39.es/ecma262/#sec-time-values-and-time-range */
const MAX_DATE_MS = 8.64e15;

async function statusOf(deps: ConnectionDeps, instance: Instance): Promise<StatusAnswer> {
  const grant: Grant = await openGrant(deps.grants.vault, instance, instance.version, instance.grant);
  const connector = connectorOf(deps.grants, instance.connector);
  // An earlier version imported lifetimes that are too long for a date.
  const time = (at: number | undefined) => (at === undefined || at > MAX_DATE_MS ? null : isoSeconds(at));
  const isDead = needsReauthentication(instance);
  return {
    valid: !isDead,
    expiresAt: time(grant.expiresAt),
    lastRefreshedAt: time(instance.lastRefreshedAt),
    lastError: lastErrorOf(instance),
    // The due time of a dead grant is for its removal, not for a refresh.
    nextRefreshAt: isDead || grant.refreshToken === undefined ? null : time(nextRefreshAt(instance, grant)),
    scopes: grantedScopes(connector, grant) ?? null,
    missingScopes: missingScopes(connector, grant),
  };
}

/**
 * Why the last refresh failed: Linkspan's error code (`code`) and the vendor's error; `null` for values that
 * are not known.
 */
function lastErrorOf({ lastError, lastFailure }: Instance): StatusAnswer["lastError"] {
  if (lastError === undefined) return null;
  // If the codes differ, an earlier version wrote only `lastError`, and `lastFailure` describes another
  // failure.
  const told = lastFailure?.code === lastError ? lastFailure : undefined;
  return {
    at: told === undefined ? null : isoSeconds(told.at),
    code: lastError,
    error: told?.error ?? null,
    errorDescription: told?.description ?? null,
  };
}

function gone(instance: Instance): NotFound {
  return new NotFound(`there is no instance ${instance.id}`, "unknown_instance");
}
