import type { Connector } from "../../connectors/define-connector.ts";
import type { EndpointValues } from "../endpoint/endpoint.ts";
import type {
  Death,
  Failure,
  Grant,
  Instance,
  OAuthClient,
  Refusals,
  ReplacedGrant,
  Sealed,
} from "../instances/instance.ts";
import type { AccountBefore, PendingKey, PendingSignIn } from "../instances/pending-sign-in.ts";

/** A reading of the store's clock: the `Date` of one DynamoDB answer, and our monotonic clock just before its request. */
export interface StoreReading {
  /** Epoch milliseconds; whole seconds, so the true time lies in [dateMs, dateMs + 1000) at the answer. */
  readonly dateMs: number;
  /** performance.now() just before the request was sent. */
  readonly monotonicMs: number;
}

export interface Read<T> {
  readonly value: T;
  readonly reading: StoreReading;
}

/**
 * The instances table: what is read and changed by id. Every write has a condition; `false` means it was refused and nothing
 * was written. A write throws `StoreRefused` where the table will never take it; any other error is an outage. What else the table can do stands in interfaces of its own, one for each permission that it takes.
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
   * REMOVE until IF fence = f; SET what `change` holds, too, IF not deleting: the due time of what is being deleted stays.
   * `false`: nothing of `change` was written.
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
   * SET deadVersion = v, death, lastError, lastFailure, dueAt REMOVE until, dueSince, attempts, retryAt, askedUntil, refusals
   * IF version = v AND fence = f AND not deleting. Without `dueAt` as COMMIT.
   */
  markDead(
    id: number,
    seen: { version: number; fence: number },
    lastError: string,
    dueAt?: number,
    more?: { death: Death; lastFailure?: Failure },
  ): Promise<boolean>;
  /**
   * SET grant, death, fence = f + 1, dueAt IF version = v AND fence = f AND deadVersion = v AND not deleting: the tokens of what
   * has been dead for long go. `grant` is sealed for the same version; by the fence a re-seal under way notices it.
   */
  emptyDead(
    id: number,
    seen: { version: number; fence: number },
    left: { grant: Sealed; death: Death; dueAt?: number },
  ): Promise<boolean>;
  /**
   * SET grant, epoch = n, version = fence + 1, fence = fence + 1, dueAt, replacedGrants, account
   * REMOVE what COMMIT removes, and forcedAt (, account where `changes` has none: it is not known to be the one from before)
   * IF epoch < n AND not deleting.
   * The grant is sealed for version `fence + 1`, so the condition also names the fence seen; and the version seen, so that the
   * grant that was read is the one that is replaced (and revoked). Refused when either moved on: read again, seal again.
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
      /** Absent: it can be refreshed, or its vendor never gives what that takes. */
      refreshable?: false;
      /** All that is to end now, what was there included. Absent: nothing is. */
      replacedGrants?: readonly ReplacedGrant[];
      changes?: InstanceChanges;
    },
  ): Promise<boolean>;
  /** REMOVE replacedGrants IF epoch = e: they are those that were read with that epoch. */
  forgetReplaced(id: number, seen: { epoch: string }): Promise<boolean>;
  /**
   * SET deleting = true, dueAt = now, deletingSince (the first time) REMOVE dueSince IF it exists (AND NOT deleting, for the
   * `first` alone); hides it from the owner's list, and from its siblings.
   */
  markDeleting(id: number, now: number, who?: "first"): Promise<boolean>;
  /** SET enabled (, dueAt = now REMOVE dueSince when enabling) IF exists AND not deleting. */
  setEnabled(id: number, enabled: boolean, now: number): Promise<boolean>;
  /**
   * Name, tags, configuration, token hashes: never anything of the grant. IF exists AND not deleting.
   * @param seen `newestToken`: AND the first of the token hashes is still this one
   */
  update(
    id: number,
    changes: Omit<InstanceChanges, "account">,
    now: number,
    seen?: { readonly newestToken?: string },
  ): Promise<boolean>;
  /**
   * SET account, consentKey IF epoch = e AND not deleting: a later sign-in may be of another account, or of another client.
   * @param seen `consentKey`: AND it is this one still; an account and a proof of its client are noted side by side
   */
  noteAccount(
    id: number,
    seen: { epoch: string; consentKey?: string },
    noted: { account?: NonNullable<Instance["account"]>; consentKey?: string; at: number },
  ): Promise<boolean>;
  /** SET lastUsedAt IF exists; at most once a day, off the path. Brings an idle grant back to the due index when `dueAt` is given. */
  touch(id: number, usedAt: number, dueAt?: number): Promise<boolean>;
  /**
   * A worker that looked: SET dueAt = to (`undefined`: off the due index), dueSince = owedSince (absent: nothing is owed any
   * more, REMOVE) IF dueAt = seen (AND epoch = e: two sign-ins of one moment may be due at the same time) AND not deleting.
   */
  push(
    id: number,
    seen: number,
    to: number | undefined,
    owedSince?: number,
    epoch?: string,
  ): Promise<boolean>;
  /** SET deletionUntil = to IF deleting AND deletionUntil is as seen (absent, too): this worker alone ends it until then. */
  claimDeletion(id: number, seen: { deletionUntil?: number }, to: number): Promise<boolean>;
  /** SET dueAt = to REMOVE deletionUntil, dueSince IF deleting, whatever was due before: nothing but the deletion is. */
  pushDeletion(id: number, to: number): Promise<boolean>;
}

/** What a failed attempt leaves behind: why, and when it is tried again. */
export interface ReleaseChange {
  readonly dueAt?: number;
  readonly dueSince?: number;
  readonly retryAt?: number;
  readonly askedUntil?: number;
  readonly attempts?: number;
  readonly lastError?: string;
  readonly lastFailure?: Failure;
  readonly refusals?: Refusals;
  /** Of a grant that was dead before the attempt: what was learnt of its death. */
  readonly death?: Death;
}

export interface InstanceCreation {
  /** Put of a new item, refused when the id is taken. */
  create(instance: Instance): Promise<boolean>;
}

export interface InstanceRemoval {
  /** DeleteItem IF deleting. */
  remove(id: number): Promise<boolean>;
}

export interface InstanceSiblings {
  /**
   * Whether an instance other than this one, of any organization, hangs on this consent (revocation/consent.ts) and is not being deleted.
   * Eventually consistent: what was written within `timing.indexMs` may be missing, or still there.
   * @param unprovenKey of the same consent, for those of one organization whose client is not proven: one of them counts, too
   * @param pending asked for this pending sign-in of the id: then its instance and other pending ones of it count, too
   */
  hasSibling(
    id: number,
    consentKey: string,
    unprovenKey?: string,
    pending?: Pick<PendingKey, "sessionId" | "epoch">,
  ): Promise<boolean>;
}

/**
 * Pending sign-ins (core/instances/pending-sign-in.ts), items of their own in the instances table. Every write has a condition;
 * `false` means that it was refused and nothing was written.
 */
export interface PendingSignIns {
  /** Strongly consistent. */
  get(key: PendingKey): Promise<Read<PendingSignIn | undefined>>;
  /** All of one instance; strongly consistent. */
  ofInstance(instanceId: number): Promise<readonly PendingSignIn[]>;
  /** Put of a new item, due at its end; refused when it is there. */
  put(pending: PendingSignIn): Promise<boolean>;
  /** SET account, consentKey IF it exists AND is not ending. */
  noteAccount(
    key: PendingKey,
    noted: { account: NonNullable<PendingSignIn["account"]>; consentKey?: string },
  ): Promise<boolean>;
  /** SET claimedAt (the first time), account, accountBefore, consentKey, dueAt IF it exists AND is not ending. */
  markClaimed(
    key: PendingKey,
    claim: {
      at: number;
      dueAt: number;
      account?: NonNullable<PendingSignIn["account"]>;
      accountBefore?: AccountBefore;
      consentKey?: string;
    },
  ): Promise<boolean>;
  /**
   * SET endingSince (the first time), dueAt = now; hides it from its siblings. IF it exists AND is not claimed; or, where
   * `claimedToo`, whether claimed or not: only for one whose write is lost for good.
   */
  markEnding(key: PendingKey, now: number, claimedToo?: boolean): Promise<boolean>;
  /** SET dueAt = to REMOVE dueSince IF it exists. */
  push(key: PendingKey, to: number): Promise<boolean>;
}

/** For the worker alone. */
export interface PendingRemoval {
  /** DeleteItem: its grant is live in its instance, or has ended. */
  remove(key: PendingKey): Promise<void>;
}

/** For the operator: no list of instances shows pending sign-ins. */
export interface PendingLists {
  listPendings(
    organizationId: string,
    options?: { after?: string; limit?: number },
  ): Promise<{ readonly items: readonly PendingKey[]; readonly next?: string }>;
}

export interface InstanceSuspension {
  /** SET userSuspended, or REMOVE it, IF it exists. Nothing else of the item changes. */
  markSuspended(id: number, suspended: boolean): Promise<boolean>;
}

/** For the operator who rotates a data key. Each write puts the same secret under another key, and changes nothing else. */
export interface InstanceResealing {
  /** SET grant IF version = v AND fence = f. The grant is sealed for the same version v; fence, version, until, dueAt stay. */
  reseal(id: number, seen: { version: number; fence: number }, grant: Sealed): Promise<boolean>;
  /** SET sealedConfiguration IF it is the one seen, byte for byte: no two seals are alike. */
  resealConfiguration(id: number, seen: Sealed, sealed: Sealed): Promise<boolean>;
  /**
   * SET configuration, secretConfigurationKeys, sealedConfiguration IF sealedConfiguration is the one seen (`undefined`: there is
   * none): every change of the configuration seals it anew.
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
  /** The instances of one user that are not being deleted, newest first; a page of ids and what a list filters on. */
  listByOwner(
    organizationId: string,
    userId: string,
    options?: { after?: string; limit?: number },
  ): Promise<InstancePage>;
  /** Full items, consistent, those that exist; in the order of `ids`. */
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
  /** Hand back as `after`; absent on the last page. */
  readonly next?: string;
}

/** The due index: read by the sweep only. */
export interface DueIndex {
  /** Those due at `now` in one shard, oldest first. */
  due(
    shard: number,
    now: number,
    limit: number,
    after?: string,
  ): Promise<{ items: readonly DueItem[]; next?: string }>;
  /** After sending: SET dueAt = to, dueSince = seen (the first time) IF dueAt = seen. Nobody has refreshed it yet. */
  push(id: number, seen: number, to: number): Promise<boolean>;
  /** The same for a pending sign-in. */
  pushPending(key: PendingKey, seen: number, to: number): Promise<boolean>;
}

export interface DueItem {
  readonly id: number;
  readonly dueAt: number;
  /** Since when it has been due, where it was pushed before. */
  readonly dueSince?: number;
  readonly refreshGroup: string;
  /** A pending sign-in of the instance (or of the id that is reserved for it) is due, and not the instance. */
  readonly pending?: Pick<PendingKey, "sessionId" | "epoch">;
}

/** What a rescue record holds; lies in S3 while DynamoDB cannot take the write. */
export type RescueRecord =
  | {
      readonly kind: "refresh";
      readonly instanceId: number;
      readonly organizationId: string;
      readonly connector: string;
      readonly epoch: string;
      readonly baseVersion: number;
      readonly fence: number;
      readonly grant: Sealed;
      readonly refreshedAt: number;
      readonly dueAt?: number;
    }
  | {
      readonly kind: "sign-in";
      readonly instanceId: number;
      readonly organizationId: string;
      readonly connector: string;
      readonly epoch: string;
      /** Sealed for version `signin-<epoch>`: which version it will get is known only when it is written. */
      readonly grant: Sealed;
      readonly at: number;
      readonly refreshGroup?: string;
      readonly changes?: InstanceChanges;
      readonly accountBefore?: AccountBefore;
      /** It may carry a refresh token over, which a version that does not know of it would revoke: it must not read this. */
      readonly carries?: true;
    }
  | { readonly kind: "new"; readonly instance: Instance }
  | { readonly kind: "pending"; readonly pending: PendingSignIn };

/** `rescue/<instance>/<fence | signin-<epoch> | new | pending-<epoch>>` in the bucket. */
export interface RescueRecords {
  /** @throws {StoreRefused} the bucket will never take it @throws when the store does not answer within its timeout */
  put(record: RescueRecord): Promise<void>;
  /** The refresh record of this attempt. `undefined` only on a true 404; anything else throws: "cannot look". */
  get(instanceId: number, fence: number): Promise<RescueRecord | undefined>;
  read(key: string): Promise<RescueRecord | undefined>;
}

export interface RescueRemoval {
  remove(key: string): Promise<void>;
}

export interface RescueList {
  /** Keys in order. `writtenAt`: when the bucket took each, epoch milliseconds; one that is missing there is of unknown age. */
  list(options?: { limit?: number; after?: string }): Promise<{
    keys: readonly string[];
    writtenAt?: ReadonlyMap<string, number>;
    next?: string;
  }>;
}

export type RescueStore = RescueRecords & RescueRemoval & RescueList;

/** Seals and opens secrets; see core/vault. */
export interface Vault {
  /**
   * Makes the organization's key ready (one KMS call at most every 5 min), so that a later `seal` cannot fail on KMS.
   * What it returns seals with that key and needs nothing else, not even the table of organizations.
   * @throws {Unavailable} KMS does not answer
   */
  prepare(organizationId: string): Promise<Sealer>;
  seal(place: SealedPlace, plaintext: string): Promise<Sealed>;
  /** @throws {SealBroken} moved to another place, tampered with, or of a shredded key */
  open(place: SealedPlace, sealed: Sealed): Promise<string>;
}

/** Seals with a key that is at hand. */
export type Sealer = Pick<Vault, "seal">;

/** Where a ciphertext belongs: it opens nowhere else. */
export interface SealedPlace {
  readonly organizationId: string;
  /** For example `instance/42`, `app/dropbox/…`, `authorization/<hash>`. */
  readonly item: string;
  /** For example `grant`, `configuration`, `client-secret`, `code-verifier`. Also the HKDF purpose. */
  readonly field: string;
  /** Grant version, or empty. */
  readonly version?: number | string;
}

/** A client that can stand at a token endpoint. */
export interface ClientCredentials {
  readonly id: string;
  readonly secret: string;
}

export interface ClientResolver {
  /** Looks a registered app up and opens its secret. @throws {NotFound} the app is gone */
  resolve(organizationId: string, connector: string, client: OAuthClient): Promise<ClientCredentials>;
}

/** What came of one token request; every case of the protocol's step 5. */
export type TokenOutcome =
  | { readonly kind: "granted"; readonly response: TokenResponse }
  /** Granted, with an access token that no header can carry. What came beside it may be the only living refresh token. */
  | { readonly kind: "unusable"; readonly response: TokenResponse }
  /** RFC 6749 section 5.2 `invalid_grant` (or the vendor's word for it). */
  | { readonly kind: "invalid_grant"; readonly error: string; readonly description?: string }
  /** The vendor refused and did nothing: other 4xx, 429, 503 with Retry-After. */
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly error: string;
      readonly description?: string;
      readonly retryAfterMs?: number;
    }
  /** invalid_client, unauthorized_client and the like: the operator's mistake, not the grant's end. */
  | {
      readonly kind: "client_refused";
      readonly status: number;
      readonly error: string;
      readonly description?: string;
    }
  /** Not one byte went out. */
  | { readonly kind: "never_sent"; readonly reason: string }
  /** No answer, reset, other 5xx, an answer that cannot be read: the vendor may have acted. */
  | { readonly kind: "unknown"; readonly reason: string };

export interface TokenResponse {
  readonly accessToken: string;
  readonly tokenType: string;
  readonly refreshToken?: string;
  readonly scope?: string;
  /** Milliseconds; absent: the vendor did not tell. */
  readonly expiresInMs?: number;
  /** The code brought it, and the exchange for a long-lived one is still to come (see `Grant.shortLived`). */
  readonly shortLived?: true;
  readonly extra?: Readonly<Record<string, string>>;
}

/** The vendor's token endpoint, by connector; implemented by core/oauth. Never aborts a sent request before `timeoutMs`. */
export interface TokenEndpoint {
  exchangeCode(
    connector: Connector,
    client: ClientCredentials,
    request: {
      code: string;
      redirectUri: string;
      codeVerifier?: string;
      /** For the connector's URLs (core/endpoint/endpoint.ts). */
      values: EndpointValues;
      timeoutMs: number;
    },
  ): Promise<TokenOutcome>;
  refresh(
    connector: Connector,
    client: ClientCredentials,
    request: {
      refreshToken: string;
      /** As the grant has it: exchanged for a long-lived token, not renewed. */
      shortLived?: boolean;
      /** For the connector's URLs (core/endpoint/endpoint.ts). */
      values: EndpointValues;
      timeoutMs: number;
      /** Called when the connection stands, just before the first byte; throwing leaves it unsent. */
      beforeSend: () => void;
    },
  ): Promise<TokenOutcome>;
  /** `true`: ended, or was dead already; `false`: try again later. Vendors without revocation: true. */
  revoke(connector: Connector, client: ClientCredentials, grant: Grant): Promise<boolean>;
}
