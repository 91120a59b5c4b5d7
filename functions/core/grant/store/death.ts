import { type Death, type Grant, type Instance, needsReauthentication } from "../../instances/instance.ts";
import type { TokenOutcome } from "../../oauth/ports.ts";
import type { Timing } from "../timing.ts";

/**
 * Why a grant needs a new sign-in; also `lastError`, and `reason` of the event.
 * - `invalid_grant`: the vendor says that the refresh token is not valid.
 * - `refresh_token_reused`: the same, and the vendor says that it saw the token twice.
 * - `refused`: the vendor refused the grant for a week, with other errors (refresh/refusals.ts).
 * - `token_expired`, `token_refused`: an access token without refresh token that has expired, or that the
 *   vendor refuses (refresh/ended-token.ts).
 * - `restored`: it was restored from a backup (operator/mark-restored.ts).
 */
export type DeathReason =
  | "invalid_grant"
  | "refresh_token_reused"
  | "refused"
  | "token_expired"
  | "token_refused"
  | "restored";

/** Vendors' error codes for a refresh token that was sent twice; such a grant is never tried again. */
const REUSE_ERRORS: ReadonlySet<string> = new Set([
  "refresh_token_reused",
  "refresh_token_already_used",
  "token_reuse_detected",
]);
const REUSE_WORDS = ["reuse", "already used", "already been used", "been used already", "used already"];

/** The reason of death that an `invalid_grant` shows. */
export function reasonOf(outcome: Extract<TokenOutcome, { kind: "invalid_grant" }>): DeathReason {
  const description = outcome.description?.toLowerCase() ?? "";
  const isReuse =
    REUSE_ERRORS.has(outcome.error.toLowerCase()) || REUSE_WORDS.some((words) => description.includes(words));
  return isReuse ? "refresh_token_reused" : "invalid_grant";
}

/**
 * How the stored grant died; `at` is unknown if an earlier version of Linkspan wrote it.
 * @returns undefined: the grant is alive
 */
export function deathOf(
  instance: Pick<Instance, "deadVersion" | "version" | "death" | "lastError">,
): (Omit<Death, "at" | "version"> & { readonly at?: number }) | undefined {
  if (!needsReauthentication(instance)) return undefined;
  if (instance.death?.version === instance.version) return instance.death;
  return { reason: instance.lastError ?? "invalid_grant" };
}

/**
 * Whether a dead grant may be retried, because an incident of the vendor may have looked like its end. Not if
 * Linkspan itself ended it (deleted, restored from a backup), and not if the vendor saw a refresh token twice.
 */
export function isRevivable(
  instance: Pick<
    Instance,
    "deadVersion" | "version" | "death" | "lastError" | "deleting" | "enabled" | "connector"
  >,
): boolean {
  const death = deathOf(instance);
  if (death === undefined || instance.deleting === true || !instance.enabled) return false;
  return death.emptied !== true && (death.reason === "invalid_grant" || death.reason === "refused");
}

/** Whether the app may also retry the dead grant: for two days. */
export function isRevivableByApp(instance: Instance, now: number, timing: Timing): boolean {
  const at = deathOf(instance)?.at;
  return isRevivable(instance) && at !== undefined && now - at < timing.reviveForMs;
}

/**
 * When the tokens of a dead grant are to be removed.
 * @returns undefined: the grant is alive, its tokens are removed already, or the time of its death is unknown
 */
export function emptiesAt(
  instance: Pick<Instance, "deadVersion" | "version" | "death" | "lastError">,
  timing: Timing,
): number | undefined {
  const death = deathOf(instance);
  if (death?.at === undefined || death.emptied === true) return undefined;
  return death.at + timing.keepDeadMs;
}

/** A dead grant without its tokens; the OAuth client stays for a new sign-in. */
export function withoutTokens({ obtainedAt, obtainedBy, client }: Grant): Grant {
  return { accessToken: "", tokenType: "bearer", obtainedAt, obtainedBy, client };
}

/** Whether the grant has no tokens that could be revoked at the vendor. */
export function isEmptied(grant: Pick<Grant, "accessToken" | "refreshToken">): boolean {
  return grant.accessToken === "" && grant.refreshToken === undefined;
}
