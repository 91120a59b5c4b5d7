import type { Connector } from "../../connectors/define-connector.ts";
import type { Instance } from "../instances/instance.ts";
import type {
  InstanceCreation,
  InstanceItems,
  InstanceRemoval,
  InstanceSiblings,
} from "../instances/instance-store.ts";
import type { PendingKey, PendingSignIn } from "../instances/pending-sign-in.ts";
import type { PendingRemoval, PendingSignIns } from "../instances/pending-store.ts";
import type { RescueRecords, RescueRemoval } from "../instances/rescue-store.ts";
import type { ClientResolver, TokenEndpoint } from "../oauth/ports.ts";
import type { StoreReading } from "../store-clock.ts";
import type { Vault } from "../vault/ports.ts";
import type { VendorHttp } from "../vendor-http.ts";
import type { InstanceEvent } from "./instance-event.ts";
import type { Timing } from "./timing.ts";

export const refreshCauses = [
  "schedule",
  "just_in_time",
  "unauthorized",
  "forced",
  "revive",
  "rescue",
] as const;

/** Why a refresh was started. */
export type RefreshCause = (typeof refreshCauses)[number];

/** The result of one refresh, rescue or revocation; the caller of the core counts it. */
export interface GrantOutcome {
  readonly outcome:
    | "refreshed"
    | "reused"
    | "waited"
    | "unreachable"
    | "refused"
    | "client_refused"
    | "needs_reauth"
    | "revived"
    | "still_dead"
    | "rescued"
    | "revoked"
    | "lost";
  readonly connector: string;
  readonly instanceId: number;
  readonly cause: RefreshCause;
  /** A stable code with more detail. */
  readonly reason?: string;
  /** For how long the old token was still valid, in milliseconds. */
  readonly timeLeftMs?: number;
  /** The vendor's own words for a refusal: bounded, secrets cut out. */
  readonly error?: string;
  readonly errorDescription?: string;
}

/**
 * Protects grants during a long incident of a vendor: whether a refused grant may be given up depends on how many of the
 * connector's grants are refused.
 */
export interface RefusedGrants {
  /**
   * Notes that this grant will be given up if it is refused for `refusedNoticeMs` more. @throws the grant could
   * not be noted
   */
  notice(connector: string, instanceId: number, now: number): Promise<void>;
  /**
   * Whether this grant may be given up: only few grants of its connector were noted at about the same time.
   * `false` is counted, and raises an alarm.
   * @throws a store does not answer, so the number is unknown
   */
  mayEnd(connector: string, instanceId: number, noticedAt: number, now: number): Promise<boolean>;
}

/**
 * Clients that their authorization server refuses: refreshes of their grants are paused, except for probes.
 * Keys: refresh/client-pauses.ts.
 */
export interface ClientPauses {
  /** `until`: wait until then (store time). `probe`: this caller alone may try whether the pause can end. `open`: no pause. */
  check(
    key: string,
    now: number,
  ): Promise<
    | { readonly kind: "open" }
    | { readonly kind: "probe"; readonly until: number }
    | { readonly kind: "until"; readonly until: number }
  >;
  pause(key: string, now: number): Promise<void>;
  /** Ends a probe that had no result, so that the next probe may start at once. */
  giveBack(key: string, probe: { readonly until: number }, now: number): Promise<void>;
  resume(key: string): Promise<void>;
}

/** Dependencies of everything that stores, refreshes and ends grants. */
export interface GrantDeps {
  readonly instances: InstanceItems;
  readonly rescue: RescueRecords;
  readonly vault: Vault;
  readonly tokens: TokenEndpoint;
  readonly clients: ClientResolver;
  /** For `connector.account` only. */
  readonly http: VendorHttp;
  readonly connectors: (key: string) => Connector | undefined;
  /** A clock of this process that never goes back, in milliseconds. */
  readonly monotonic: () => number;
  /** A random number in [0, 1), for jitter. */
  readonly random: () => number;
  /** Resolves after `ms`, or at once when the signal is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly timing: Timing;
  /** Queues a refresh of this instance's grant. @throws the work queue did not take it */
  readonly enqueueRefresh: (
    instance: Pick<Instance, "id" | "version" | "refreshGroup">,
    cause: RefreshCause,
  ) => Promise<void>;
  readonly outcome: (outcome: GrantOutcome) => void;
  /**
   * Puts an event into the work queue, whose worker sends it to subscribers. Never rejects: a lost event is
   * counted.
   */
  readonly announce: (event: InstanceEvent) => Promise<void>;
  /** Only grants used within this time are refreshed ahead of time. */
  readonly activeWindowMs: number;
  readonly pauses: ClientPauses;
  /** Only the worker has it: only the worker gives up a grant that is refused for a long time. */
  readonly refused?: RefusedGrants;
}

/** For the functions that take sign-ins: a sign-in ends the older pending ones of its instance. */
export interface SignInDeps extends GrantDeps {
  readonly pendings: PendingSignIns;
  /**
   * Queues the deletion of an instance that is marked for it. @throws the queue did not take it; the due index
   * still lists it
   */
  readonly enqueueDeletion: (instance: Pick<Instance, "id" | "version" | "refreshGroup">) => Promise<void>;
  /** Queues a pending sign-in for a worker. @throws the queue did not take it; the due index still lists it */
  readonly enqueuePending: (pending: PendingKey & Pick<PendingSignIn, "refreshGroup">) => Promise<void>;
}

/** For the functions that create instances. */
export type ProvisioningDeps = SignInDeps & { readonly instances: InstanceCreation };

/** For the worker, which completes deletions and rescue records, and publishes events. */
export type WorkerDeps = ProvisioningDeps & {
  readonly instances: InstanceRemoval & InstanceSiblings;
  readonly pendings: PendingRemoval;
  readonly rescue: RescueRemoval;
  /** Puts an event on the bus. @throws the bus did not take it: the message must be delivered again */
  readonly publish: (event: InstanceEvent) => Promise<void>;
};

/** How long the invocation still lasts, and a way to let work go on after the answer. */
export interface Call {
  remainingMs(): number;
  afterAnswer(work: Promise<unknown>): void;
}

/** An instance, and the reading of the store answer that contained it. */
export interface InstanceRead {
  readonly instance: Instance;
  readonly reading: StoreReading;
}
