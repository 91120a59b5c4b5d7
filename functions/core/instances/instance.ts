/** Bytes sealed by the vault, bound to organization, item, field and (for grants) version. */
export type Sealed = Uint8Array;

/** SHA-256 (base64url) of the secret half of an instance token. */
export interface TokenHash {
  readonly hash: string;
  /**
   * Store time in ms after which the token is refused. Absent: the current token. During a rotation's grace
   * period there are two.
   */
  readonly until?: number;
}

/** A grant that a sign-in replaced. */
export interface ReplacedGrant {
  readonly version: number;
  /** Sealed for that version. */
  readonly grant: Sealed;
  /** Store time, epoch milliseconds: from then on its revocation is tried for 7 days. */
  readonly at: number;
}

/** Why and when a stored grant came to need a new sign-in. */
export interface Death {
  /** The version that died. If the instance has a newer version, this death does not apply to it. */
  readonly version: number;
  /** Store time, epoch milliseconds: the sealed grant is kept for 30 days from then on. */
  readonly at: number;
  /** A stable code; see grant/store/death.ts. */
  readonly reason: string;
  /** When the vendor last confirmed that the dead grant is dead. */
  readonly confirmedAt?: number;
  /** The 30 days are over: the stored ciphertext no longer holds a token. */
  readonly emptied?: true;
}

/** The vendor's answer to a refresh that failed: bounded, without secrets. */
export interface Failure {
  /** Store time, epoch milliseconds. */
  readonly at: number;
  /** Linkspan's own code. If it differs from `lastError`, another version of Linkspan has written `lastError` since. */
  readonly code: string;
  /** RFC 6749 section 5.2 `error`, or the vendor's equivalent. */
  readonly error?: string;
  /** RFC 6749 section 5.2 `error_description`. */
  readonly description?: string;
}

/** Refreshes of one version that the vendor refused after the access token had expired. */
export interface Refusals {
  readonly version: number;
  /** Number of tries that count: at most one in twelve hours. */
  readonly count: number;
  /** Store time of the first and of the last try that counts. */
  readonly since: number;
  readonly lastAt: number;
  /** Store time at which the grant was noted as about to be given up. */
  readonly noticedAt?: number;
}

/**
 * One user's provisioned connection, as stored in the instances table (item `instance`). All times are store
 * time in epoch milliseconds (see aws/store-time.ts).
 */
export interface Instance {
  readonly id: number;
  readonly organizationId: string;
  readonly userId: string;
  /** Connector key. */
  readonly connector: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Not secret; unknown keys are kept as they came. Includes `oauth.callback.url`, `oauth.api.key`. */
  readonly configuration: Readonly<Record<string, string>>;
  /** Names of the secret values in `sealedConfiguration`: shown as `********`. */
  readonly secretConfigurationKeys: readonly string[];
  /** JSON object of the secret values, sealed as one field (`configuration`, no version). */
  readonly sealedConfiguration?: Sealed;
  readonly tokenHashes: readonly TokenHash[];

  // ---- the grant's life; see core/grant
  /** Number of attempts: each lease that is taken adds one. */
  readonly fence: number;
  /** The fence of the attempt that brought the stored grant. Compare it only for equality; it gives no order. */
  readonly version: number;
  /** End of the lease; absent = free; past = an attempt whose result is unknown. */
  readonly until?: number;
  /**
   * Epoch of the sign-in: "<store time at which its state was consumed, padded>-<state's hash>", totally
   * ordered as a string.
   */
  readonly epoch: string;
  /** Sealed `Grant` (field `grant`, version = `version`). */
  readonly grant: Sealed;
  /**
   * Replaced grants that are still to be revoked at the vendor. They are written together with the sign-in, so that a crash
   * cannot lose them. The list changes only with the epoch, or is removed as a whole. See grant/sign-in/replaced-grants.ts.
   */
  readonly replacedGrants?: readonly ReplacedGrant[];
  /** Needs re-authentication <=> deadVersion = version. */
  readonly deadVersion?: number;
  /**
   * Set if the last sign-in brought no refresh token although the vendor issues them, and none could be carried
   * over.
   */
  readonly refreshable?: false;
  /**
   * How the grant died. Absent for a grant that is alive, and for one that an earlier version of Linkspan
   * declared dead.
   */
  readonly death?: Death;
  readonly enabled: boolean;
  /** The user is suspended, and the organization's list of suspended users was full (core/tenants/suspended-users.ts). */
  readonly userSuspended?: boolean;
  readonly deleting?: boolean;
  /** When the first delete was requested: revocation is tried for at most 7 days. */
  readonly deletingSince?: number;
  /** Until this store time only one worker performs the deletion. */
  readonly deletionUntil?: number;
  readonly refreshShard?: number;
  readonly dueAt?: number;
  /**
   * Since when a refresh is overdue, if `dueAt` does not show it: the first due time, kept while sweeps set
   * later ones. After a failed refresh, it is not before the expiry of the token. Absent: since `dueAt`.
   */
  readonly dueSince?: number;
  /** Short hash of connector and client: the queue's MessageGroupId. */
  readonly refreshGroup: string;
  /**
   * Key of the consent that this instance shares with its siblings. Set only if a revocation ends the whole
   * consent. Also shows whether the vendor has accepted its client yet. See grant/consent/key.ts.
   */
  readonly consentKey?: string;
  readonly lastRefreshedAt?: number;
  readonly lastUsedAt?: number;
  /** Number of failed refreshes with a known result since the last success. Absent: none. */
  readonly attempts?: number;
  /** No refresh before this time: back-off, or the vendor's Retry-After. Absent after a success. */
  readonly retryAt?: number;
  /** Until when the vendor itself asked us to wait (Retry-After). `retryAt` also contains our own back-off. */
  readonly askedUntil?: number;
  /**
   * When a refresh was last forced, by a 401 of the vendor, an app or an operator. Written with its lease,
   * whatever its result.
   */
  readonly forcedAt?: number;
  /** Code of the last failed refresh, never a vendor's text. Absent after a success. */
  readonly lastError?: string;
  /** The vendor's answer to the last failed refresh. */
  readonly lastFailure?: Failure;
  /** Absent: none since the last success. */
  readonly refusals?: Refusals;
  /** The vendor's account, looked up after the write, best effort. */
  readonly account?: {
    readonly id: string;
    readonly name?: string;
    readonly email?: string;
    /** What the vendor's module needs to know of the account (`AccountCall.facts`). */
    readonly facts?: Readonly<Record<string, string>>;
  };
  /** Set when Linkspan keeps details of the user's files that the vendor does not (core/documents/kept-details.ts). */
  readonly keepsDetails?: true;
  /** The `state` that the app sent to POST oauth/url, returned with the instance. */
  readonly appState?: string;
  /** How the instance came to be, in the app's own word: `initial` for an import. Absent: the app sent none. */
  readonly externalAuthentication?: string;
}

/** The OAuth client that got a grant, and so must refresh it. */
export type OAuthClient =
  | { readonly kind: "registered"; readonly appId: string }
  | { readonly kind: "own"; readonly id: string; readonly secret: string };

/** The decrypted content of `Instance.grant`: exists in memory only. */
export interface Grant {
  readonly accessToken: string;
  readonly tokenType: string;
  /** For a long-lived access token that is renewed with itself: the same token again. */
  readonly refreshToken?: string;
  /** Set for the short-lived token of a code, kept because its exchange for a long-lived one has not succeeded yet. */
  readonly shortLived?: true;
  /** The granted scope: as the vendor reported it, or else as it was asked for (RFC 6749 section 5.1). */
  readonly scope?: string;
  /** The scopes that the authorization URL asked for. Absent: unknown, so none can be missing. */
  readonly askedScopes?: readonly string[];
  /** Store time, epoch milliseconds. */
  readonly obtainedAt: number;
  /** Store time; absent: unknown, so the token is refreshed only on a vendor's 401. */
  readonly expiresAt?: number;
  /**
   * Set if the vendor did not report the expiry: `expiresAt` is then computed from the connector's
   * `defaultLifetimeMs`.
   */
  readonly guessedExpiry?: true;
  readonly obtainedBy: "exchange" | "import" | "refresh";
  readonly client: OAuthClient;
  /**
   * Set while the refresh token is that of an earlier sign-in (grant/sign-in/carry-over.ts), until a refresh
   * brings a new access token: the access token that was issued with it, and its scopes.
   */
  readonly carried?: Pick<Grant, "accessToken" | "scope" | "askedScopes">;
  /** Values of the connector's URLs and headers with which the grant was obtained (core/endpoint/endpoint.ts). */
  readonly endpoint?: Readonly<Record<string, string>>;
  /** Other values of the token answer or the callback that the connector keeps (instance_url, realmId, …). */
  readonly extra?: Readonly<Record<string, string>>;
}

export function needsReauthentication(instance: Pick<Instance, "deadVersion" | "version">): boolean {
  return instance.deadVersion !== undefined && instance.deadVersion === instance.version;
}
