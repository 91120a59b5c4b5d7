import type { Answer } from "../http/answer.ts";
import type { PageLook } from "../page.ts";
import type { StandInAccount, StandInApp } from "../stand-in.ts";
import type { Grant } from "./grants.ts";

/** A valid authorization request, which the user may see. */
export interface AuthorizationRequest {
  readonly app: StandInApp;
  readonly redirectUri: string | undefined;
  /** Absent: the request had none. */
  readonly state: string | undefined;
  readonly scopes: readonly string[];
  /**
   * Lasting access, with a refresh token; `first`: only if the user has not yet given the app lasting
   * access.
   */
  readonly offline: boolean | "first";
  readonly challenge: string | undefined;
  readonly place: RequestPlace;
}

/** Host and path of an authorization request, for vendors whose customers have their own. */
export interface RequestPlace {
  readonly host: string;
  readonly path: string;
  /** The variables of the path template, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Revocation by RFC 7009: a form with `token`. */
export interface RevocationRules {
  readonly hosts: readonly string[];
  readonly path: string;
  /** `grant`: ends everything that this user has granted to this client. */
  readonly ends: "token" | "grant";
  /** The client must authenticate (RFC 7009 section 2.1). */
  readonly needsClient: boolean;
  /** The answer for a token that is unknown or dead; absent: 200 (RFC 7009 section 2.2). */
  readonly deadToken?: Answer;
}

/** The error page for an authorization request that is not redirected. */
export interface RequestProblem {
  readonly status: number;
  /** The vendor's own words. */
  readonly title: string;
  readonly text: string;
}

/** All problems of a token request. */
export type TokenProblem =
  | "client_unknown"
  | "client_secret_wrong"
  | "grant_type_missing"
  | "grant_type_unsupported"
  | "code_missing"
  | "code_unknown"
  | "code_expired"
  | "code_used"
  | "redirect_uri_mismatch"
  | "verifier_missing"
  | "verifier_wrong"
  | "verifier_needless"
  | "refresh_token_missing"
  | "refresh_token_dead"
  | "parameter_repeated";

/** The tokens that a token request gets. */
export interface IssuedTokens {
  readonly grant: Grant;
  readonly account: StandInAccount;
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  /** After a code for lasting access, and after a refresh if the vendor issues a new one. */
  readonly refreshToken?: string;
}

/** The differences between the vendors' OAuth. */
export interface AuthorizationRules {
  readonly look: PageLook;
  readonly authorizationHosts: readonly string[];
  /** A path template (`kit/path-template.ts`), such as `/{tenant}/oauth2/v2.0/authorize`. */
  readonly authorizationPath: string;
  /** If hosts and path are the authorization endpoint's, a POST with a `grant_type` is a token request. */
  readonly tokenHosts: readonly string[];
  readonly tokenPath: string;
  readonly revocation?: RevocationRules;
  /** How clients may send their secret; absent: in both ways. */
  readonly clientAuthentication?: readonly ("basic" | "post")[];
  /** A token request may leave out the redirect URI of its code (against RFC 6749 section 4.1.3). */
  readonly redirectUriOptionalAtToken?: boolean;
  /** The vendor does not know PKCE: it ignores a challenge and a verifier. */
  readonly ignoresPkce?: boolean;
  /** The vendor also accepts token parameters in the query. */
  readonly tokenParametersInQuery: boolean;
  /** Apps without a secret may redeem codes that carry a PKCE challenge. */
  readonly publicClients: boolean;
  /** Without a redirect URI, the vendor shows the code on a page. */
  readonly redirectUriOptional: boolean;
  /** The user may deselect single scopes of the request. */
  readonly untickable?: boolean;
  /** Reads and checks the vendor's own parameters; the client and its redirect URI are already verified. */
  readRequest(
    query: URLSearchParams,
    place: RequestPlace,
  ): RequestProblem | { scopes: readonly string[]; offline: boolean | "first" };
  clientProblem(clientId: string | null): RequestProblem;
  redirectProblem(redirectUri: string | null): RequestProblem;
  responseTypeProblem(responseType: string | null): RequestProblem;
  challengeProblem(): RequestProblem;
  /** The consent page's text for a scope. */
  describeScope(scope: string): string;
  /** Parameters for the redirect URI, in addition to `code` and `state`. */
  redirectParameters(
    request: AuthorizationRequest,
    account: StandInAccount,
  ): readonly (readonly [string, string])[];
  /** Parameters in addition to `error=access_denied`. */
  readonly denialParameters: readonly (readonly [string, string])[];
  tokenAnswer(tokens: IssuedTokens): unknown;
  tokenProblem(problem: TokenProblem): Answer;
}
