import type { Connector } from "../../../connectors/define-connector.ts";
import type { Grant, Instance } from "../../instances/instance.ts";
import { present } from "../../present.ts";
import type { Call, GrantDeps, GrantOutcome, InstanceRead, RefreshCause } from "../grant-deps.ts";
import type { Lease, RefreshBlocker } from "../store/lease.ts";
import { latestNow } from "../timing.ts";
import type { Failure } from "./after-failure.ts";
import type { VendorWords } from "./vendor-words.ts";

/** The result of one refresh. */
export type RefreshResult =
  /** The new grant, safe in the table or the rescue bucket. */
  | { readonly kind: "refreshed"; readonly instance: Instance; readonly grant: Grant }
  /** Another grant was stored instead, or may have been: read again. */
  | { readonly kind: "moved" }
  | { readonly kind: "blocked"; readonly why: RefreshBlocker }
  | { readonly kind: "needs_reauth" }
  /** A grant without a refresh token: valid until the vendor refuses it. */
  | { readonly kind: "nothing_to_refresh" }
  | { readonly kind: "failed"; readonly outcome: Failure; readonly retryAfterMs: number };

export interface RefreshRequest {
  /** `revive`: one more try of a dead grant. Any result other than a new grant changes nothing. */
  readonly cause: RefreshCause;
  /** The version to renew. Absent: the stored one. */
  readonly wanted?: number;
}

/** One try of a refresh: its inputs, and how it is counted. */
export interface Attempt {
  readonly deps: GrantDeps;
  readonly read: InstanceRead;
  readonly request: RefreshRequest;
  readonly call: Call;
  /** The latest that the store's time can be. */
  readonly now: () => number;
  /** Reports the result; once for each attempt that has sent a request or may have. */
  readonly count: (
    outcome: GrantOutcome["outcome"],
    more?: { readonly timeLeftMs?: number | undefined; readonly words?: VendorWords },
  ) => void;
}

/** An attempt with the lease taken and the old grant opened. */
export interface LeasedAttempt extends Attempt {
  readonly lease: Lease;
  readonly connector: Connector;
  readonly old: Grant;
}

export function newAttempt(
  deps: GrantDeps,
  read: InstanceRead,
  request: RefreshRequest,
  call: Call,
): Attempt {
  const { id, connector } = read.instance;
  return {
    deps,
    read,
    request,
    call,
    now: () => latestNow(read.reading, deps.monotonic()),
    count: (outcome, { timeLeftMs, words } = {}) =>
      deps.outcome({
        outcome,
        connector,
        instanceId: id,
        cause: request.cause,
        ...present({ timeLeftMs, error: words?.error, errorDescription: words?.description }),
      }),
  };
}

/** Counts a failure, and returns it as the result. */
export function failed(
  { deps, count }: Attempt,
  outcome: Failure,
  retryAfterMs = deps.timing.retryMs,
  words: VendorWords = {},
): RefreshResult {
  count(outcome, { words });
  return { kind: "failed", outcome, retryAfterMs };
}
