import type { Connector } from "../../connectors/define-connector.ts";
import type { EndpointValues } from "../endpoint/endpoint.ts";
import type { Grant, OAuthClient } from "../instances/instance.ts";

/** Credentials with which a client authenticates at a token endpoint. */
export interface ClientCredentials {
  readonly id: string;
  readonly secret: string;
}

export interface ClientResolver {
  /** Looks a registered app up and opens its secret. @throws {NotFound} the app is not registered any more */
  resolve(organizationId: string, connector: string, client: OAuthClient): Promise<ClientCredentials>;
}

/** The outcome of one token request, as core/grant needs to distinguish it (docs/grant-life.md). */
export type TokenOutcome =
  | { readonly kind: "granted"; readonly response: TokenResponse }
  /** Granted, but no header can carry the access token. The refresh token beside it may be the only valid one. */
  | { readonly kind: "unusable"; readonly response: TokenResponse }
  /** RFC 6749 section 5.2 `invalid_grant` (or the vendor's code for it). */
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
  /** No byte was sent. */
  | { readonly kind: "never_sent"; readonly reason: string }
  /** No answer, reset, other 5xx, an answer that cannot be read: the vendor may have acted. */
  | { readonly kind: "unknown"; readonly reason: string };

export interface TokenResponse {
  readonly accessToken: string;
  readonly tokenType: string;
  readonly refreshToken?: string;
  readonly scope?: string;
  /** Milliseconds; absent: the vendor did not report it. */
  readonly expiresInMs?: number;
  /** Set if the token came with a code and must still be exchanged for a long-lived one (see `Grant.shortLived`). */
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
      /** `shortLived` of the grant: the token is exchanged for a long-lived one, not renewed. */
      shortLived?: boolean;
      /** For the connector's URLs (core/endpoint/endpoint.ts). */
      values: EndpointValues;
      timeoutMs: number;
      /** Called when the connection is open, just before the first byte; if it throws, the request is not sent. */
      beforeSend: () => void;
    },
  ): Promise<TokenOutcome>;
  /** `true`: revoked, or dead already; `false`: try again later. Vendors without revocation: true. */
  revoke(connector: Connector, client: ClientCredentials, grant: Grant): Promise<boolean>;
}
