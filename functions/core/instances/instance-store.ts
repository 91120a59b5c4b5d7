import type { Read } from "../store-clock.ts";
import type { Death, Failure, Instance, Refusals, ReplacedGrant, Sealed } from "./instance.ts";
import type { KeptDetailsRemoval, KeptDetailsResealing } from "./kept-details-store.ts";
import type { PendingKey } from "./pending-sign-in.ts";

/**
 * The instances table: reads and changes by id. Every write has a condition; `false` means that it was refused
 * and nothing was written. A write throws `StoreRefused` if the table will never take it; any other error is an
 * outage. The table's other operations are in separate interfaces, one for each permission that they need.
 */
export interface InstanceItems {
  /** Strongly consistent GetItem. */
  get(id: number): Promise<Read<Instance | undefined>>;
  /** SET fence = f0 + 1, until (, forcedAt) IF version = v AND fence = f0. */
  takeLease(
    id: number,
    seen: { version: number; fence: number },
    until: number,
    forcedAt?: number,
  ): Promise<boolean>;
  /**
   * REMOVE until IF fence = f. Also SET the members of `change`, but only IF not deleting, so that a deletion
   * keeps its due time. `false`: nothing of `change` was written.
   */
  release(id: number, fence: number, change?: ReleaseChange): Promise<boolean>;
  /**
   * SET grant, version = f, dueAt, lastRefreshedAt
   * REMOVE until, deadVersion, death, lastError, lastFailure, attempts, retryAt, askedUntil, refusals, dueSince
   * IF version = v AND not deleting. Without `dueAt` the item leaves the due index.
   */
  commit(
    id: number,
    base: { version: number },
    won: { fence: number; grant: Sealed; dueAt?: number; refreshedAt: number },
  ): Promise<boolean>;
  /**
   * SET deadVersion = v, death, lastError, lastFailure, dueAt REMOVE until, dueSince, attempts, retryAt,
   * askedUntil, refusals IF version = v AND fence = f AND not deleting. Without `dueAt`, the item leaves the
   * due index.
   */
  markDead(
    id: number,
    seen: { version: number; fence: number },
    lastError: string,
    dueAt?: number,
    more?: { death: Death; lastFailure?: Failure },
  ): Promise<boolean>;
  /**
   * SET grant, death, fence = f + 1, dueAt IF version = v AND fence = f AND deadVersion = v AND not deleting:
   * removes the tokens of a grant that has been dead for long. `grant` is sealed for the same version; the new
   * fence makes a concurrent re-seal read again.
   */
  emptyDead(
    id: number,
    seen: { version: number; fence: number },
    left: { grant: Sealed; death: Death; dueAt?: number },
  ): Promise<boolean>;
  /**
   * SET grant, epoch = n, version = fence + 1, fence = fence + 1, dueAt, replacedGrants, account REMOVE what
   * COMMIT removes, and forcedAt (and account if `changes` has none: the new grant may belong to another
   * account) IF epoch < n AND not deleting. The condition also contains the fence seen, because the grant is
   * sealed for version `fence + 1`; and the version seen, so that the replaced (and revoked) grant is the one
   * that was read. Refused if either has changed: read again, seal again.
   */
  signIn(
    id: number,
    seen: { fence: number; version: number },
    won: {
      epoch: string;
      grant: Sealed;
      dueAt?: number;
      at: number;
      refreshGroup?: string;
      consentKey?: string;
      /** Absent: the grant can be refreshed, or the vendor never issues refresh tokens. */
      refreshable?: false;
      /** All replaced grants that must be revoked now, including those stored before. Absent: none. */
      replacedGrants?: readonly ReplacedGrant[];
      changes?: InstanceChanges;
    },
  ): Promise<boolean>;
  /** REMOVE replacedGrants IF epoch = e, so that only the grants that were read are removed. */
  forgetReplaced(id: number, seen: { epoch: string }): Promise<boolean>;
  /**
   * SET deleting = true, dueAt = now, deletingSince (the first time) REMOVE dueSince IF it exists (with `first`: AND NOT
   * deleting, so that only one caller succeeds); hides it from the owner's list, and from its siblings.
   */
  markDeleting(id: number, now: number, who?: "first"): Promise<boolean>;
  /** SET enabled (, dueAt = now REMOVE dueSince when enabling) IF exists AND not deleting. */
  setEnabled(id: number, enabled: boolean, now: number): Promise<boolean>;
  /**
   * Changes name, tags, configuration and token hashes, never a part of the grant. IF exists AND not deleting.
   * @param seen `newestToken`: AND the first of the token hashes is still this one; `configuration`: AND the sealed
   *   configuration is still this one, or there is still none. Each write of the configuration seals it anew.
   */
  update(
    id: number,
    changes: Omit<InstanceChanges, "account">,
    now: number,
    seen?: {
      readonly newestToken?: string;
      readonly configuration?: Pick<Instance, "sealedConfiguration">;
    },
  ): Promise<boolean>;
  /**
   * SET account, consentKey IF epoch = e AND not deleting: a later sign-in may be of another account, or of
   * another client.
   * @param seen `consentKey`: AND it is still this one, because an account and a proof of its client may be
   *   noted at the same time
   */
  noteAccount(
    id: number,
    seen: { epoch: string; consentKey?: string },
    noted: { account?: NonNullable<Instance["account"]>; consentKey?: string },
  ): Promise<boolean>;
  /**
   * SET lastUsedAt IF exists; at most once a day, and not while a caller waits. With `dueAt`, an idle grant
   * returns to the due index.
   */
  touch(id: number, usedAt: number, dueAt?: number): Promise<boolean>;
  /**
   * For a worker that has looked at the instance: SET dueAt = to (`undefined`: off the due index), dueSince =
   * owedSince (absent: nothing is overdue any more, REMOVE) IF dueAt = seen (AND epoch = e, because two
   * sign-ins of one moment may be due at the same time) AND not deleting.
   */
  setDueAt(
    id: number,
    seen: number,
    to: number | undefined,
    owedSince?: number,
    epoch?: string,
  ): Promise<boolean>;
  /**
   * SET deletionUntil = to IF deleting AND deletionUntil is as seen (or absent, as seen): until then only this
   * worker performs the deletion.
   */
  claimDeletion(id: number, seen: { deletionUntil?: number }, to: number): Promise<boolean>;
  /**
   * SET dueAt = to REMOVE deletionUntil, dueSince IF deleting. The previous due time does not matter, because only the
   * deletion is due.
   */
  setDeletionDueAt(id: number, to: number): Promise<boolean>;
}

/** The changes that a failed attempt makes: why it failed, and when it is tried again. */
export interface ReleaseChange {
  readonly dueAt?: number;
  readonly dueSince?: number;
  readonly retryAt?: number;
  readonly askedUntil?: number;
  readonly attempts?: number;
  readonly lastError?: string;
  readonly lastFailure?: Failure;
  readonly refusals?: Refusals;
  /** For a grant that was dead before the attempt: new facts about its death. */
  readonly death?: Death;
}

export interface InstanceCreation {
  /** Puts a new item; refused if the id is taken. */
  create(instance: Instance): Promise<boolean>;
}

export interface InstanceRemoval extends KeptDetailsRemoval {
  /** DeleteItem IF deleting. */
  remove(id: number): Promise<boolean>;
}

export interface InstanceSiblings {
  /**
   * Whether an instance other than this one, of any organization, shares this consent
   * (core/grant/consent/key.ts) and is not being deleted. Eventually consistent: what was written within
   * `timing.indexMs` may be missing, or still there.
   * @param unprovenKey key of the same consent for instances of one organization whose client is not proven;
   *   they count too
   * @param pending set if this pending sign-in is the holder: its instance and the other pending ones then
   *   count
   */
  hasSibling(
    id: number,
    consentKey: string,
    unprovenKey?: string,
    pending?: Pick<PendingKey, "sessionId" | "epoch">,
  ): Promise<boolean>;
}

export interface InstanceSuspension {
  /** SET userSuspended, or REMOVE it, IF it exists. Nothing else of the item changes. */
  markSuspended(id: number, suspended: boolean): Promise<boolean>;
}

/**
 * For the operator who rotates a data key. Each write seals the same secret under another key, and changes
 * nothing else.
 */
export interface InstanceResealing extends KeptDetailsResealing {
  /** SET grant IF version = v AND fence = f. The grant is sealed for the same version v; fence, version, until, dueAt stay. */
  reseal(id: number, seen: { version: number; fence: number }, grant: Sealed): Promise<boolean>;
  /** SET sealedConfiguration IF it is the one seen, byte for byte; two seals are never equal. */
  resealConfiguration(id: number, seen: Sealed, sealed: Sealed): Promise<boolean>;
  /**
   * SET configuration, secretConfigurationKeys, sealedConfiguration IF sealedConfiguration is the one seen
   * (`undefined`: there is none). Every change of the configuration seals it again, so this finds each change.
   */
  sealClear(
    id: number,
    seen: Sealed | undefined,
    changes: Required<
      Pick<InstanceChanges, "configuration" | "secretConfigurationKeys" | "sealedConfiguration">
    >,
  ): Promise<boolean>;
  /** SET replacedGrants IF epoch = e AND they are still there. */
  resealReplaced(
    id: number,
    seen: { epoch: string },
    replacedGrants: readonly ReplacedGrant[],
  ): Promise<boolean>;
}

export interface InstanceLists {
  /**
   * The instances of one user that are not being deleted, newest first. A page contains ids and the fields for
   * filters.
   */
  listByOwner(
    organizationId: string,
    userId: string,
    options?: { after?: string; limit?: number },
  ): Promise<InstancePage>;
  /** Full items, strongly consistent, in the order of `ids`; items that do not exist are left out. */
  getMany(ids: readonly number[]): Promise<Instance[]>;
  /** Every instance id of an organization (kill switch, rotation, admin list); pages. */
  listByOrganization(
    organizationId: string,
    options?: { after?: string; limit?: number },
  ): Promise<InstancePage>;
}

/** The whole instances table. */
export type InstanceStore = InstanceItems &
  InstanceCreation &
  InstanceRemoval &
  InstanceSiblings &
  InstanceResealing &
  InstanceLists;

export interface InstanceChanges {
  readonly name?: string;
  readonly tags?: readonly string[];
  readonly configuration?: Readonly<Record<string, string>>;
  readonly secretConfigurationKeys?: readonly string[];
  readonly sealedConfiguration?: Sealed;
  readonly tokenHashes?: Instance["tokenHashes"];
  readonly appState?: string;
  readonly account?: NonNullable<Instance["account"]>;
}

export interface InstanceSummary {
  readonly id: number;
  readonly userId: string;
  readonly connector: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly createdAt: number;
}

export interface InstancePage {
  readonly items: readonly InstanceSummary[];
  /** Value for `after` of the next page; absent on the last page. */
  readonly next?: string;
}

/** The due index: read by the sweep only. */
export interface DueIndex {
  /** The items that are due at `now` in one shard, oldest first. */
  due(
    shard: number,
    now: number,
    limit: number,
    after?: string,
  ): Promise<{ items: readonly DueItem[]; next?: string }>;
  /**
   * After the message is sent: SET dueAt = to, dueSince = seen (the first time) IF dueAt = seen. The refresh
   * itself has not happened yet.
   */
  setDueAt(id: number, seen: number, to: number): Promise<boolean>;
  /** The same for a pending sign-in. */
  setPendingDueAt(key: PendingKey, seen: number, to: number): Promise<boolean>;
}

export interface DueItem {
  readonly id: number;
  readonly dueAt: number;
  /** Since when the item has been due, if a sweep has set a later due time. */
  readonly dueSince?: number;
  readonly refreshGroup: string;
  /** Set if a pending sign-in of the instance (or of the id that is reserved for it) is due, and not the instance. */
  readonly pending?: Pick<PendingKey, "sessionId" | "epoch">;
}
