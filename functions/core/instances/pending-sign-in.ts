import type { Instance, Sealed } from "./instance.ts";

/** Names one pending sign-in. Each callback that brings a grant makes one of its own, so that no two overwrite each other. */
export interface PendingKey {
  /** The instance that is signed in to again, or the id that is reserved for a new connection. */
  readonly instanceId: number;
  /** The connect session. */
  readonly sessionId: string;
  /** Of the consumed state (core/instances/sign-in-epoch.ts). */
  readonly epoch: string;
}

/** The account of an instance's grant when a sign-in was compared with it. */
export interface AccountBefore {
  /** The instance's epoch at that time. If the epoch has changed, the account may have changed, too. */
  readonly epoch: string;
  readonly accountId: string;
}

/** What a new connection becomes when it is claimed, beside its grant. */
export type PendingInstance = Pick<
  Instance,
  "name" | "tags" | "configuration" | "secretConfigurationKeys" | "sealedConfiguration"
>;

/**
 * What a hosted sign-in brought and the app has not claimed yet: an item of its own in the instances table, beside the instance and
 * never a part of it. No call is served from it and no list shows it. All times are store time in epoch milliseconds.
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
  /** From then on it ends unless it was claimed. */
  readonly endsAt: number;
  readonly refreshGroup: string;
  /** As an instance's, so that no sibling's delete revokes the consent that they share. Absent while it is ending. */
  readonly consentKey?: string;
  readonly account?: NonNullable<Instance["account"]>;
  /** The account of the existing instance, as the claim found it. */
  readonly accountBefore?: AccountBefore;
  /** Of a new connection; absent: a sign-in to an instance that is there. */
  readonly newInstance?: PendingInstance;
  /** When it was claimed. From then on a worker or a call makes it live, unless a later sign-in or a delete comes first. */
  readonly claimedAt?: number;
  /** It was refused, overtaken or has run out: from then on it cannot be claimed, and its grant is revoked. */
  readonly endingSince?: number;
  /** When a worker processes it. */
  readonly dueAt?: number;
  readonly dueSince?: number;
}
