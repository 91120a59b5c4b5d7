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
  /** Only after a code, and only for lasting access. */
  readonly refreshToken?: string;
}

/** The differences between the vendors' OAuth. */
export interface AuthorizationRules {
  readonly look: PageLook;
  readonly authorizationHost: string;
  readonly authorizationPath: string;
  readonly tokenHost: string;
  readonly tokenPath: string;
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
  ): RequestProblem | { scopes: readonly string[]; offline: boolean | "first" };
  clientProblem(clientId: string | null): RequestProblem;
  redirectProblem(redirectUri: string | null): RequestProblem;
  responseTypeProblem(responseType: string | null): RequestProblem;
  challengeProblem(): RequestProblem;
  /** The consent page's text for a scope. */
  describeScope(scope: string): string;
  /** Parameters for the redirect URI, in addition to `code` and `state`. */
  redirectParameters(request: AuthorizationRequest): readonly (readonly [string, string])[];
  /** Parameters in addition to `error=access_denied`. */
  readonly denialParameters: readonly (readonly [string, string])[];
  tokenAnswer(tokens: IssuedTokens): unknown;
  tokenProblem(problem: TokenProblem): Answer;
}
