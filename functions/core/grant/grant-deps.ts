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

/** What brought a refresh about. */
export type RefreshCause = (typeof refreshCauses)[number];

/** What became of one refresh, rescue or revocation; counted by the caller of the core. */
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
  /** A stable code, where there is more to say. */
  readonly reason?: string;
  /** How long the old token would have been valid, in milliseconds. */
  readonly timeLeftMs?: number;
  /** The vendor's own words to a refusal: bounded, secrets cut out. */
  readonly error?: string;
  readonly errorDescription?: string;
}

/**
 * Protects grants during a long incident of a vendor: whether a refused grant may be given up depends on how many of the
 * connector's grants are refused.
 */
export interface RefusedGrants {
  /** Notes that this grant will be given up if it is refused for `refusedNoticeMs` more. @throws it is not noted */
  notice(connector: string, instanceId: number, now: number): Promise<void>;
  /**
   * Whether this grant may be given up: only few grants of its connector were noted at about the same time. `false` is
   * counted and raises an alarm.
   * @throws unknown now: a store does not answer
   */
  mayEnd(connector: string, instanceId: number, noticedAt: number, now: number): Promise<boolean>;
}

/** Clients that their authorization server refuses: refreshing their grants is paused, but for probes. Keys: refresh/client-pauses.ts. */
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
  /** Ends a probe without a result, so that the next probe may start at once. */
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
  /** Milliseconds that only grow, within this process. */
  readonly monotonic: () => number;
  /** [0, 1): jitter. */
  readonly random: () => number;
  /** Resolves after so long, or at once when the signal is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly timing: Timing;
  /** Has a worker refresh this instance's grant. @throws the work queue did not take it */
  readonly enqueueRefresh: (
    instance: Pick<Instance, "id" | "version" | "refreshGroup">,
    cause: RefreshCause,
  ) => Promise<void>;
  readonly outcome: (outcome: GrantOutcome) => void;
  /** Hands an event to the work queue, from where it goes on to subscribers. Never rejects: one that is lost is counted. */
  readonly announce: (event: InstanceEvent) => Promise<void>;
  /** Only grants used within this time are refreshed ahead of time. */
  readonly activeWindowMs: number;
  readonly pauses: ClientPauses;
  /** The worker alone gives grants up that are refused for long. */
  readonly refused?: RefusedGrants;
}

/** For those who take the users' sign-ins: a sign-in ends the older pending ones of its instance. */
export interface SignInDeps extends GrantDeps {
  readonly pendings: PendingSignIns;
  /** Has a worker end an instance that is marked for deletion. @throws the queue did not take it: it lies on the due index */
  readonly enqueueDeletion: (instance: Pick<Instance, "id" | "version" | "refreshGroup">) => Promise<void>;
  /** Has a worker look at a pending sign-in now. @throws the queue did not take it: it lies on the due index */
  readonly enqueuePending: (pending: PendingKey & Pick<PendingSignIn, "refreshGroup">) => Promise<void>;
}

/** For those who make instances. */
export type ProvisioningDeps = SignInDeps & { readonly instances: InstanceCreation };

/** For the worker, which ends deletions, brings rescued grants home and tells subscribers. */
export type WorkerDeps = ProvisioningDeps & {
  readonly instances: InstanceRemoval & InstanceSiblings;
  readonly pendings: PendingRemoval;
  readonly rescue: RescueRemoval;
  /** Puts an event on the bus. @throws the bus did not take it: its message must come again */
  readonly publish: (event: InstanceEvent) => Promise<void>;
};

/** How long the invocation lasts, and what may go on after its caller was answered. */
export interface Call {
  remainingMs(): number;
  afterAnswer(work: Promise<unknown>): void;
}

/** An instance as one answer of the store showed it. */
export interface InstanceRead {
  readonly instance: Instance;
  readonly reading: StoreReading;
}
