import type { Connector } from "../../../connectors/define-connector.ts";
import type { Grant, Instance } from "../../instances/instance.ts";
import { present } from "../../present.ts";
import type { Call, GrantDeps, GrantOutcome, InstanceRead, RefreshCause } from "../grant-deps.ts";
import type { Lease, RefreshBlocker } from "../store/lease.ts";
import { latestNow } from "../timing.ts";
import type { Failure } from "./after-failure.ts";
import type { VendorWords } from "./vendor-words.ts";

/** How one refresh ended, for whoever asked for it. */
export type RefreshResult =
  /** The new grant, safe in the table or the rescue bucket. */
  | { readonly kind: "refreshed"; readonly instance: Instance; readonly grant: Grant }
  /** Somebody else's grant took the place, or may have: read again. */
  | { readonly kind: "moved" }
  | { readonly kind: "blocked"; readonly why: RefreshBlocker }
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

/** One try of a refresh: what it works with, and how it is counted. */
export interface Attempt {
  readonly deps: GrantDeps;
  readonly read: InstanceRead;
  readonly request: RefreshRequest;
  readonly call: Call;
  /** The latest that the store's time can be. */
  readonly now: () => number;
  /** Says how it ended; once for each attempt that has sent something or may have. */
  readonly count: (
    outcome: GrantOutcome["outcome"],
    more?: { readonly timeLeftMs?: number | undefined; readonly words?: VendorWords },
  ) => void;
}

/** The same with the lease taken and the old grant open. */
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

/** Counts a failure and answers with it. */
export function failed(
  { deps, count }: Attempt,
  outcome: Failure,
  retryAfterMs = deps.timing.retryMs,
  words: VendorWords = {},
): RefreshResult {
  count(outcome, { words });
  return { kind: "failed", outcome, retryAfterMs };
}
