import type { Instance, Sealed } from "./instance.ts";

/**
 * Key of one pending sign-in. Each callback that brings a grant has its own key, so that no two overwrite each
 * other.
 */
export interface PendingKey {
  /** The existing instance, or the id that is reserved for a new connection. */
  readonly instanceId: number;
  /** The connect session. */
  readonly sessionId: string;
  /** Epoch of the consumed state (core/instances/sign-in-epoch.ts). */
  readonly epoch: string;
}

/** The account of an instance's grant when a sign-in was compared with it. */
export interface AccountBefore {
  /** The instance's epoch at that time. If the epoch has changed, the account may have changed too. */
  readonly epoch: string;
  readonly accountId: string;
}

/** The values of a new connection besides its grant, until it is claimed. */
export type PendingInstance = Pick<
  Instance,
  "name" | "tags" | "configuration" | "secretConfigurationKeys" | "sealedConfiguration"
>;

/**
 * A hosted sign-in that the app has not claimed yet: a separate item in the instances table, never a part of
 * the instance. No call uses it and no list shows it. All times are store time in epoch milliseconds.
 */
export interface PendingSignIn extends PendingKey {
  readonly organizationId: string;
  readonly userId: string;
  /** Connector key. */
  readonly connector: string;
  /** Sealed `Grant` (field `grant`, version `pending-<epoch>`). */
  readonly grant: Sealed;
  /** When the user signed in. */
  readonly at: number;
  /** When the sign-in ends unless it is claimed before. */
  readonly endsAt: number;
  readonly refreshGroup: string;
  /**
   * Like `consentKey` of an instance, so that no sibling's delete revokes the shared consent. Absent while the
   * sign-in is ending.
   */
  readonly consentKey?: string;
  readonly account?: NonNullable<Instance["account"]>;
  /** The account of the existing instance when the sign-in was claimed. */
  readonly accountBefore?: AccountBefore;
  /** Set for a new connection. Absent: a sign-in to an existing instance. */
  readonly newInstance?: PendingInstance;
  /**
   * When it was claimed. From then on a worker or a call writes it to its instance, unless a later sign-in or a
   * delete comes first.
   */
  readonly claimedAt?: number;
  /** When it was refused, was overtaken or expired: from then on it cannot be claimed, and its grant is revoked. */
  readonly endingSince?: number;
  /** When a worker processes it. */
  readonly dueAt?: number;
  readonly dueSince?: number;
}
