import { createHash, randomBytes } from "node:crypto";
import * as v from "valibot";
import type { Clock } from "../../clock.ts";

/** The access that a user gave an app. */
export interface Grant {
  readonly login: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Of the newest refresh token; absent if the app did not ask for lasting access. */
  refreshTokenHash?: string;
  /** Of the refresh tokens before it, oldest first, at a vendor that issues a new one at each refresh. */
  readonly olderRefreshTokenHashes: string[];
  /** Time of the code's redemption or of the last refresh, in epoch milliseconds. */
  usedAt: number;
  readonly issuedAt: number;
  ended: boolean;
}

/** An authorization code (RFC 6749 section 4.1.2). */
export interface Code {
  readonly login: string;
  readonly clientId: string;
  /** The authorization request's redirect URI; undefined if the request had none. */
  readonly redirectUri: string | undefined;
  readonly scopes: readonly string[];
  readonly offline: boolean;
  /** RFC 7636, S256 only. */
  readonly challenge: string | undefined;
  readonly expiresAt: number;
  /** The grant that the code was redeemed for. */
  grant?: Grant;
}

interface AccessToken {
  readonly grant: Grant;
  expiresAt: number;
}

export type TokenState =
  | { readonly state: "valid"; readonly grant: Grant }
  | { readonly state: "expired" | "unknown" };

export interface GrantRules {
  /** Start of an access token: `sl.`, `ya29.` */
  readonly accessTokenPrefix: string;
  readonly refreshTokenPrefix: string;
  readonly codePrefix: string;
  readonly codeLifetimeMs: number;
  /**
   * Maximum number of refresh tokens for one user and one app; above it the oldest one ends without a
   * notice.
   */
  readonly maxGrantsPerUserAndClient: number;
  /** Absent: a refresh token stays the same and does not expire. */
  readonly refreshTokens?: RefreshTokenRules;
}

export interface RefreshTokenRules {
  /**
   * What a refresh does with the refresh token: `none`: it stays; `singleUse`: a new one replaces it;
   * `oldStays`: a new one is issued, and the old ones work, too.
   */
  readonly rotation: "none" | "singleUse" | "oldStays";
  /** A second use of a single-use token ends the whole grant (RFC 9700 section 4.14.2). */
  readonly reuseEndsGrant?: boolean;
  /** A refresh token expires after this time without use. */
  readonly idleMs?: number;
}

/**
 * Living grants and their access tokens; each token refers to its grant by the grant's position in the
 * list.
 */
export const KEPT_GRANTS = v.strictObject({
  grants: v.array(
    v.strictObject({
      login: v.string(),
      clientId: v.string(),
      scopes: v.array(v.string()),
      refreshTokenHash: v.exactOptional(v.string()),
      olderRefreshTokenHashes: v.exactOptional(v.array(v.string())),
      issuedAt: v.number(),
      usedAt: v.exactOptional(v.number()),
    }),
  ),
  accessTokens: v.array(v.strictObject({ hash: v.string(), grant: v.number(), expiresAt: v.number() })),
});
type KeptGrants = v.InferOutput<typeof KEPT_GRANTS>;

const MAX_CODES = 1000;
const MAX_ACCESS_TOKENS = 20_000;
const MAX_GRANTS = 10_000;
const MAX_OLDER_REFRESH_TOKENS = 50;

/** Codes, grants and tokens of one stand-in. It stores only hashes of codes and tokens. */
export class Grants {
  /** `Infinity`: access tokens do not expire. */
  accessTokenSeconds: number;
  readonly #clock: Clock;
  readonly #rules: GrantRules;
  readonly #codes = new Map<string, Code>();
  readonly #grants = new Set<Grant>();
  readonly #byRefreshToken = new Map<string, Grant>();
  readonly #accessTokens = new Map<string, AccessToken>();

  constructor(clock: Clock, rules: GrantRules, accessTokenSeconds: number) {
    this.#clock = clock;
    this.#rules = rules;
    this.accessTokenSeconds = accessTokenSeconds;
  }

  issueCode(code: Omit<Code, "expiresAt" | "grant">): string {
    const value = this.#rules.codePrefix + randomBytes(32).toString("base64url");
    this.#codes.set(hash(value), { ...code, expiresAt: this.#clock.now() + this.#rules.codeLifetimeMs });
    dropOldest(this.#codes, MAX_CODES);
    return value;
  }

  findCode(value: string): Code | undefined {
    return this.#codes.get(hash(value));
  }

  isExpired(code: Code): boolean {
    return code.expiresAt <= this.#clock.now();
  }

  /** Redeems a code for a grant. `offline`: with a refresh token. */
  redeem(code: Code, offline: boolean): { grant: Grant; refreshToken?: string } {
    const refreshToken = this.#newRefreshToken();
    const grant: Grant = {
      login: code.login,
      clientId: code.clientId,
      scopes: code.scopes,
      issuedAt: this.#clock.now(),
      usedAt: this.#clock.now(),
      olderRefreshTokenHashes: [],
      ended: false,
      ...(offline ? { refreshTokenHash: hash(refreshToken) } : {}),
    };
    code.grant = grant;
    this.#keep(grant);
    return offline ? { grant, refreshToken } : { grant };
  }

  findRefreshToken(value: string): Grant | undefined {
    return this.#byRefreshToken.get(hash(value));
  }

  /**
   * Uses a refresh token by the vendor's rules. Returns undefined for a token that does not work (any more).
   * `refreshToken` is there if the vendor issues a new one.
   */
  refresh(value: string, clientId: string): { grant: Grant; refreshToken?: string } | undefined {
    const grant = this.findRefreshToken(value);
    if (grant === undefined || grant.ended || grant.clientId !== clientId) return undefined;
    const { rotation, reuseEndsGrant, idleMs } = this.#rules.refreshTokens ?? { rotation: "none" };
    const isSpent = rotation === "singleUse" && grant.refreshTokenHash !== hash(value);
    if (isSpent && reuseEndsGrant === true) this.end(grant);
    if (isSpent || (idleMs !== undefined && grant.usedAt + idleMs <= this.#clock.now())) return undefined;
    grant.usedAt = this.#clock.now();
    if (rotation === "none" || grant.refreshTokenHash === undefined) return { grant };
    const refreshToken = this.#newRefreshToken();
    grant.olderRefreshTokenHashes.push(grant.refreshTokenHash);
    if (grant.olderRefreshTokenHashes.length > MAX_OLDER_REFRESH_TOKENS)
      grant.olderRefreshTokenHashes.shift();
    grant.refreshTokenHash = hash(refreshToken);
    this.#byRefreshToken.set(grant.refreshTokenHash, grant);
    dropOldest(this.#byRefreshToken, MAX_GRANTS);
    return { grant, refreshToken };
  }

  #newRefreshToken(): string {
    return this.#rules.refreshTokenPrefix + randomBytes(48).toString("base64url");
  }

  issueAccessToken(grant: Grant): { accessToken: string; expiresInSeconds: number } {
    const accessToken = this.#rules.accessTokenPrefix + randomBytes(64).toString("base64url");
    // JSON has no Infinity.
    const expiresAt = Math.min(this.#clock.now() + this.accessTokenSeconds * 1000, Number.MAX_SAFE_INTEGER);
    this.#accessTokens.set(hash(accessToken), { grant, expiresAt });
    dropOldest(this.#accessTokens, MAX_ACCESS_TOKENS);
    return { accessToken, expiresInSeconds: this.accessTokenSeconds };
  }

  check(accessToken: string): TokenState {
    const known = this.#accessTokens.get(hash(accessToken));
    if (known === undefined || known.grant.ended) return { state: "unknown" };
    return known.expiresAt <= this.#clock.now()
      ? { state: "expired" }
      : { state: "valid", grant: known.grant };
  }

  /** The grant of an access or refresh token, also if the grant has ended. */
  grantOf(token: string): Grant | undefined {
    return this.#accessTokens.get(hash(token))?.grant ?? this.findRefreshToken(token);
  }

  /** Whether this user has given this app lasting access before. */
  hasOfflineGrant(login: string, clientId: string): boolean {
    return this.#living(login, clientId).some((grant) => grant.refreshTokenHash !== undefined);
  }

  end(grant: Grant): void {
    grant.ended = true;
    this.#grants.delete(grant);
  }

  /** Ends the grants of an account, or of all accounts, for one app or for all apps. */
  endAll(login?: string, clientId?: string): void {
    for (const grant of this.#living(login, clientId)) this.end(grant);
  }

  expireAccessTokens(login?: string): void {
    for (const token of this.#accessTokens.values()) {
      if (login === undefined || token.grant.login === login) {
        token.expiresAt = Math.min(token.expiresAt, this.#clock.now());
      }
    }
  }

  living(login?: string): { grants: number; accessTokens: number } {
    const valid = [...this.#accessTokens.values()].filter(
      ({ grant, expiresAt }) =>
        !grant.ended && expiresAt > this.#clock.now() && (login === undefined || grant.login === login),
    );
    return {
      grants: this.#living(login).filter((grant) => grant.refreshTokenHash !== undefined).length,
      accessTokens: valid.length,
    };
  }

  /**
   * The state to store over a restart: neither codes, which live for minutes, nor ended grants and their
   * tokens.
   */
  keep(): KeptGrants {
    const living = [...this.#grants];
    const positions = new Map(living.map((grant, position) => [grant, position]));
    return {
      grants: living.map(({ ended: _, scopes, olderRefreshTokenHashes, ...grant }) => ({
        ...grant,
        scopes: [...scopes],
        olderRefreshTokenHashes: [...olderRefreshTokenHashes],
      })),
      accessTokens: [...this.#accessTokens].flatMap(([hash, { grant, expiresAt }]) => {
        const position = positions.get(grant);
        return position === undefined ? [] : [{ hash, grant: position, expiresAt }];
      }),
    };
  }

  /** @throws {Error} an access token refers to no grant */
  restore(kept: KeptGrants): void {
    const grants = kept.grants.map(
      (grant): Grant => ({
        ...grant,
        olderRefreshTokenHashes: grant.olderRefreshTokenHashes ?? [],
        usedAt: grant.usedAt ?? grant.issuedAt,
        ended: false,
      }),
    );
    for (const grant of grants) this.#keep(grant);
    for (const { hash, grant: position, expiresAt } of kept.accessTokens) {
      const grant = grants[position];
      if (grant === undefined) throw new Error(`there is no grant ${position}`);
      this.#accessTokens.set(hash, { grant, expiresAt });
    }
  }

  #living(login?: string, clientId?: string): Grant[] {
    return [...this.#grants].filter(
      (grant) =>
        (login === undefined || grant.login === login) &&
        (clientId === undefined || grant.clientId === clientId),
    );
  }

  #keep(grant: Grant): void {
    this.#grants.add(grant);
    for (const older of grant.olderRefreshTokenHashes) this.#byRefreshToken.set(older, grant);
    if (grant.refreshTokenHash !== undefined) this.#byRefreshToken.set(grant.refreshTokenHash, grant);
    dropOldest(this.#byRefreshToken, MAX_GRANTS);
    const ofBoth = this.#living(grant.login, grant.clientId).filter(
      (each) => each.refreshTokenHash !== undefined,
    );
    for (const oldest of ofBoth.slice(0, -this.#rules.maxGrantsPerUserAndClient)) this.end(oldest);
    const [first] = this.#grants;
    if (this.#grants.size > MAX_GRANTS && first !== undefined) this.end(first);
  }
}

/** S256 of RFC 7636 section 4.6. */
export function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}

function hash(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}
