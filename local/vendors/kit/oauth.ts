import type { Clock } from "../../clock.ts";
import { type GrantRules, Grants, type RefreshTokenRules } from "../authorization/grants.ts";
import type {
  AuthorizationRequest,
  AuthorizationRules,
  IssuedTokens,
  RequestPlace,
  RequestProblem,
  RevocationRules,
  TokenProblem,
} from "../authorization/vendor-rules.ts";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import type { PageLook } from "../page.ts";
import type { StandInAccount } from "../stand-in.ts";

/** A vendor's OAuth. What is absent is as RFC 6749 has it. */
export interface VendorOAuth {
  readonly look: PageLook;
  /** `{name}` in a path, and `*.` at the start of a host, stand for a customer's own. */
  readonly authorize: { readonly hosts: readonly string[]; readonly path: string };
  readonly token: { readonly hosts: readonly string[]; readonly path: string };
  readonly revocation?: RevocationRules;
  /** Each scope with the text of the consent page. */
  readonly scopes: Readonly<Record<string, string>>;
  /** The scopes of a request that names none; absent: all. */
  readonly defaultScopes?: readonly string[];
  /** The vendor ignores scopes that it does not know. */
  readonly ignoresUnknownScopes?: boolean;
  /** Whether a request gets a refresh token; absent: always. */
  isOffline?(query: URLSearchParams, scopes: readonly string[]): boolean;
  /** The vendor's own checks of a request. */
  check?(query: URLSearchParams, place: RequestPlace): RequestProblem | undefined;
  readonly ignoresPkce?: boolean;
  readonly redirectUriOptionalAtToken?: boolean;
  readonly publicClients?: boolean;
  readonly clientAuthentication?: readonly ("basic" | "post")[];
  readonly codeSeconds: number;
  /** `Infinity`: access tokens do not expire, and the answer has no `expires_in`. */
  readonly accessTokenSeconds: number;
  readonly refreshTokens?: RefreshTokenRules;
  /** Beginnings of new codes and tokens. */
  readonly prefixes?: { readonly code?: string; readonly access?: string; readonly refresh?: string };
  /** Parameters of the redirect in addition to `code` and `state`. */
  redirectParameters?(
    request: AuthorizationRequest,
    account: StandInAccount,
  ): readonly (readonly [string, string])[];
  /** Members of the token answer, in addition to those of RFC 6749 or in their place. */
  tokenMembers?(tokens: IssuedTokens): Readonly<Record<string, unknown>>;
  /** The vendor's words for a problem of a token request; RFC 6749's error code if there are none. */
  tokenProblem?(problem: TokenProblem): Answer | undefined;
}

export function grantsOf(oauth: VendorOAuth, clock: Clock): Grants {
  const rules: GrantRules = {
    accessTokenPrefix: oauth.prefixes?.access ?? "",
    refreshTokenPrefix: oauth.prefixes?.refresh ?? "",
    codePrefix: oauth.prefixes?.code ?? "",
    codeLifetimeMs: oauth.codeSeconds * 1000,
    maxGrantsPerUserAndClient: 1000,
    ...(oauth.refreshTokens === undefined ? {} : { refreshTokens: oauth.refreshTokens }),
  };
  return new Grants(clock, rules, oauth.accessTokenSeconds);
}

export function rulesOf(oauth: VendorOAuth): AuthorizationRules {
  const problem = (error: string, text: string): RequestProblem => ({ status: 400, title: error, text });
  return {
    look: oauth.look,
    authorizationHosts: oauth.authorize.hosts,
    authorizationPath: oauth.authorize.path,
    tokenHosts: oauth.token.hosts,
    tokenPath: oauth.token.path,
    tokenParametersInQuery: false,
    publicClients: oauth.publicClients ?? false,
    redirectUriOptional: false,
    denialParameters: [["error_description", "The user denied access to your application"]],
    ...(oauth.revocation === undefined ? {} : { revocation: oauth.revocation }),
    ...(oauth.redirectUriOptionalAtToken === undefined
      ? {}
      : { redirectUriOptionalAtToken: oauth.redirectUriOptionalAtToken }),
    ...(oauth.ignoresPkce === undefined ? {} : { ignoresPkce: oauth.ignoresPkce }),
    ...(oauth.clientAuthentication === undefined ? {} : { clientAuthentication: oauth.clientAuthentication }),
    readRequest(query, place) {
      const asked = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
      const known = asked.filter((scope) => oauth.scopes[scope] !== undefined);
      if (known.length < asked.length && oauth.ignoresUnknownScopes !== true) {
        const unknown = asked.filter((scope) => !known.includes(scope));
        return problem("invalid_scope", `Unknown scopes: ${unknown.join(" ")}`);
      }
      const scopes = known.length > 0 ? known : (oauth.defaultScopes ?? Object.keys(oauth.scopes));
      const refused = oauth.check?.(query, place);
      return refused ?? { scopes, offline: oauth.isOffline?.(query, scopes) ?? true };
    },
    clientProblem: (clientId) => problem("invalid_client", `There is no app ${clientId ?? ""}`),
    redirectProblem: (uri) =>
      problem("redirect_uri_mismatch", `${uri ?? ""} is not a redirect URI of the app`),
    responseTypeProblem: (type) => problem("unsupported_response_type", `Not supported: ${type ?? ""}`),
    challengeProblem: () =>
      problem("invalid_request", "code_challenge or code_challenge_method is not valid"),
    describeScope: (scope) => oauth.scopes[scope] ?? scope,
    redirectParameters: (request, account) => oauth.redirectParameters?.(request, account) ?? [],
    tokenAnswer: (tokens) => ({
      access_token: tokens.accessToken,
      ...(Number.isFinite(tokens.expiresInSeconds) ? { expires_in: tokens.expiresInSeconds } : {}),
      token_type: "bearer",
      ...(tokens.refreshToken === undefined ? {} : { refresh_token: tokens.refreshToken }),
      ...oauth.tokenMembers?.(tokens),
    }),
    tokenProblem: (name) => oauth.tokenProblem?.(name) ?? tokenError(CODES[name], name.replaceAll("_", " ")),
  };
}

export function tokenError(error: string, description: string, status = 400): Answer {
  return jsonAnswer(status, { error, error_description: description }, { "Cache-Control": "no-store" });
}

/** The error codes of RFC 6749 section 5.2. */
const CODES: Readonly<Record<TokenProblem, string>> = {
  client_unknown: "invalid_client",
  client_secret_wrong: "invalid_client",
  grant_type_missing: "invalid_request",
  grant_type_unsupported: "unsupported_grant_type",
  code_missing: "invalid_request",
  code_unknown: "invalid_grant",
  code_expired: "invalid_grant",
  code_used: "invalid_grant",
  redirect_uri_mismatch: "invalid_grant",
  verifier_missing: "invalid_grant",
  verifier_wrong: "invalid_grant",
  verifier_needless: "invalid_grant",
  refresh_token_missing: "invalid_request",
  refresh_token_dead: "invalid_grant",
  parameter_repeated: "invalid_request",
};
