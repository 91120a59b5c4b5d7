import type { Answer } from "../http/answer.ts";
import type { PageLook } from "../page.ts";
import type { StandInAccount, StandInApp } from "../stand-in.ts";
import type { Grant } from "./grants.ts";

/** An authorization request that may be shown to the user. */
export interface AuthorizationRequest {
  readonly app: StandInApp;
  readonly redirectUri: string | undefined;
  /** Absent: the request had none. */
  readonly state: string | undefined;
  readonly scopes: readonly string[];
  /** Lasting access, with a refresh token; `first`: only if the user has not given the app one before. */
  readonly offline: boolean | "first";
  readonly challenge: string | undefined;
}

/** Why an authorization request is shown as an error page and goes nowhere. */
export interface RequestProblem {
  readonly status: number;
  /** The vendor's own words. */
  readonly title: string;
  readonly text: string;
}

/** Everything that can be wrong with a token request. */
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

/** What a token request brought. */
export interface IssuedTokens {
  readonly grant: Grant;
  readonly account: StandInAccount;
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  /** Only after a code, and only for lasting access. */
  readonly refreshToken?: string;
}

/** In what one vendor's OAuth differs from another's. */
export interface AuthorizationRules {
  readonly look: PageLook;
  readonly authorizationHost: string;
  readonly authorizationPath: string;
  readonly tokenHost: string;
  readonly tokenPath: string;
  /** The vendor takes token parameters from the query too. */
  readonly tokenParametersInQuery: boolean;
  /** Apps without a secret may redeem codes that carry a PKCE challenge. */
  readonly publicClients: boolean;
  /** A code may be shown on a page instead of being sent to a redirect URI. */
  readonly redirectUriOptional: boolean;
  /** The user may take single scopes out of what is asked for. */
  readonly untickable?: boolean;
  /** Vendor-specific checks and readings; the client and its redirect URI are known to be good. */
  readRequest(
    query: URLSearchParams,
  ): RequestProblem | { scopes: readonly string[]; offline: boolean | "first" };
  clientProblem(clientId: string | null): RequestProblem;
  redirectProblem(redirectUri: string | null): RequestProblem;
  responseTypeProblem(responseType: string | null): RequestProblem;
  challengeProblem(): RequestProblem;
  /** What one reads on the consent page for a scope. */
  describeScope(scope: string): string;
  /** What is sent to the redirect URI beside `code` and `state`. */
  redirectParameters(request: AuthorizationRequest): readonly (readonly [string, string])[];
  /** What is sent with `error=access_denied`. */
  readonly denialParameters: readonly (readonly [string, string])[];
  tokenAnswer(tokens: IssuedTokens): unknown;
  tokenProblem(problem: TokenProblem): Answer;
}
