import type { Grant, Instance, Refusals, Failure as Told } from "../../instances/instance.ts";
import type { TokenOutcome } from "../../oauth/ports.ts";
import type { GrantDeps } from "../grant-deps.ts";
import { owedSince } from "../store/due.ts";
import { backOff } from "../timing.ts";
import { type VendorWords, wordsOf } from "./vendor-words.ts";

/** Error code for an access token that no header can carry; in errors, `lastError` and events. */
export const UNUSABLE_TOKEN = "unusable_access_token";

/** How a refresh that brought no grant is counted. */
export type Failure = "unreachable" | "refused" | "client_refused" | "lost";

/** The changes of the item after a refresh that failed with a known result. */
export interface AfterFailure {
  readonly retryAt: number;
  readonly askedUntil?: number;
  readonly retryInMs: number;
  readonly attempts: number;
  readonly lastError: string;
  readonly lastFailure: Told;
  readonly refusals?: Refusals;
  readonly dueAt?: number;
  readonly dueSince?: number;
}

/** When to try again; depends on the number of failures and on the vendor's Retry-After. */
export function afterFailure(
  deps: Pick<GrantDeps, "timing" | "random">,
  instance: Instance,
  old: Grant,
  outcome: TokenOutcome,
  now: number,
): AfterFailure {
  const { timing } = deps;
  const attempts = (instance.attempts ?? 0) + 1;
  const words: VendorWords = wordsOf(outcome, old);
  const asked = outcome.kind === "refused" ? Math.min(outcome.retryAfterMs ?? 0, timing.retryAfterMaxMs) : 0;
  const retryInMs = Math.max(asked, backOff(timing.retryMs, timing.retryMaxMs, attempts, deps.random()));
  const since = owedSince(instance, old);
  // Adds a random delay of up to the whole back-off: the sweep runs once a minute, so a few seconds of jitter would not
  // spread grants that failed together.
  const dueRetryMs = backOff(timing.dueRetryMs, timing.dueRetryMaxMs, attempts, 0);
  const dueInMs = Math.max(asked, dueRetryMs) + Math.round(deps.random() * dueRetryMs);
  return {
    retryAt: now + retryInMs,
    retryInMs,
    attempts,
    ...(asked === 0 ? {} : { askedUntil: now + asked }),
    lastError: errorCode(outcome),
    lastFailure: { at: now, code: errorCode(outcome), ...words },
    ...(since === undefined ? {} : { dueAt: now + dueInMs, dueSince: since }),
  };
}

export function failureOf(outcome: TokenOutcome): Failure {
  if (outcome.kind === "client_refused") return "client_refused";
  return outcome.kind === "refused" || outcome.kind === "unusable" ? "refused" : "unreachable";
}

/** Code for `lastError` and for an event's `reason`: never a vendor's text, which is stored beside it. */
export function errorCode(outcome: TokenOutcome): string {
  if (outcome.kind === "refused") return `vendor_refused_${outcome.status}`;
  if (outcome.kind === "client_refused") return "client_refused";
  if (outcome.kind === "unusable") return UNUSABLE_TOKEN;
  return outcome.kind === "never_sent" ? "vendor_not_reached" : "vendor_unreachable";
}
