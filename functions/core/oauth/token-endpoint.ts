import {
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  type Client,
  customFetch,
  genericTokenEndpointRequest,
  nopkce,
  processGenericTokenEndpointResponse,
  processRefreshTokenResponse,
  refreshTokenGrantRequest,
  skipStateCheck,
  type TokenEndpointResponse,
  validateAuthResponse,
} from "oauth4webapi";
import type { Connector } from "../../connectors/define-connector.ts";
import type { TokenHooks, TokenRequestKind } from "../../connectors/token-hooks.ts";
import { type EndpointValues, filled } from "../endpoint/endpoint.ts";
import { isHeaderText, type VendorHttp } from "../vendor-http.ts";
import type { ClientCredentials, TokenEndpoint, TokenOutcome } from "./ports.ts";
import { revoke } from "./revocation.ts";
import { outcomeOfError, tokenResponse } from "./token-outcome.ts";
import { clientAuthentication, type Exchange, exchange, stepAuthentication } from "./token-request.ts";

/** The second request of an exchange is not sent when less time than this is left. */
const SHORTEST_STEP_MS = 5_000;

interface TokenCall {
  readonly url: string;
  readonly secrets: readonly string[];
  readonly values: EndpointValues;
  readonly timeoutMs: number;
  readonly beforeSend?: () => void;
}

interface Deps {
  readonly http: VendorHttp;
  /** Loads a connector's hooks. */
  readonly hooksOf: (connector: Connector) => Promise<TokenHooks>;
}

/** The token endpoints of all vendors, on oauth4webapi. Returns the outcomes that core/grant needs to distinguish. */
export function tokenEndpoint(http: VendorHttp, hooksOf: Deps["hooksOf"]): TokenEndpoint {
  const deps: Deps = { http, hooksOf };
  const endpoint: TokenEndpoint = {
    exchangeCode: (...request) => exchangeCode(deps, ...request),
    refresh: (...request) => refresh(deps, ...request),
    revoke: (...request) => revoke({ http, tokens: endpoint }, ...request),
  };
  return endpoint;
}

async function exchangeCode(
  deps: Deps,
  ...[connector, client, { code, redirectUri, codeVerifier, ...call }]: Parameters<
    TokenEndpoint["exchangeCode"]
  >
): Promise<TokenOutcome> {
  const startedAt = performance.now();
  const secrets = [client.secret, code, ...(codeVerifier === undefined ? [] : [codeVerifier])];
  const first = await request(
    deps,
    connector,
    "authorization_code",
    { ...call, url: connector.oauth2.tokenUrl, secrets },
    async (as, wire) => {
      const oauthClient: Client = { client_id: client.id };
      // The caller has checked state and issuer; here only the code counts.
      const parameters = validateAuthResponse(as, oauthClient, new URLSearchParams({ code }), skipStateCheck);
      const response = await authorizationCodeGrantRequest(
        as,
        oauthClient,
        clientAuthentication(connector, client),
        parameters,
        redirectUri,
        codeVerifier ?? nopkce,
        { [customFetch]: wire.fetch as never },
      );
      return processGenericTokenEndpointResponse(as, oauthClient, response);
    },
  );
  if (first.kind !== "granted") return first;
  const timeoutMs = call.timeoutMs - (performance.now() - startedAt);
  return await exchangeForLongLived(deps, connector, client, first, { ...call, timeoutMs });
}

async function refresh(
  deps: Deps,
  ...[connector, client, { refreshToken, shortLived, ...call }]: Parameters<TokenEndpoint["refresh"]>
): Promise<TokenOutcome> {
  if (connector.oauth2.longLivedToken !== undefined) {
    return await requestLongLivedToken(
      deps,
      connector,
      shortLived ? "exchange" : "renewal",
      client,
      refreshToken,
      call,
    );
  }
  const secrets = [client.secret, refreshToken];
  const url = connector.oauth2.refreshUrl ?? connector.oauth2.tokenUrl;
  const run = async (as: AuthorizationServer, wire: Exchange) => {
    const oauthClient: Client = { client_id: client.id };
    const response = await refreshTokenGrantRequest(
      as,
      oauthClient,
      clientAuthentication(connector, client),
      refreshToken,
      { [customFetch]: wire.fetch as never },
    );
    return processRefreshTokenResponse(as, oauthClient, response);
  };
  return await request(deps, connector, "refresh_token", { ...call, url, secrets }, run, refreshToken);
}

/**
 * The second request of a code exchange. If it fails, the short-lived token of the first request is stored as the grant,
 * unless the vendor refuses the grant or the client, and the next refresh sends this request again.
 */
async function exchangeForLongLived(
  deps: Deps,
  connector: Connector,
  client: ClientCredentials,
  first: Extract<TokenOutcome, { kind: "granted" }>,
  call: Omit<TokenCall, "url" | "secrets">,
): Promise<TokenOutcome> {
  const { longLivedToken } = connector.oauth2;
  if (longLivedToken === undefined) return first;
  const { response: short } = first;
  const second: TokenOutcome =
    call.timeoutMs < SHORTEST_STEP_MS
      ? { kind: "never_sent", reason: "too little time is left" }
      : await requestLongLivedToken(deps, connector, "exchange", client, short.accessToken, call);
  if (second.kind === "invalid_grant" || second.kind === "client_refused") return second;
  if (second.kind !== "granted") {
    const expiresInMs = short.expiresInMs ?? longLivedToken.shortLifetimeMs;
    const response = { ...short, refreshToken: short.accessToken, expiresInMs, shortLived: true as const };
    return { kind: "granted", response };
  }
  const { expiresInMs: _, refreshToken: __, ...kept } = short;
  const extra = short.extra || second.response.extra;
  return {
    kind: "granted",
    response: {
      ...kept,
      ...second.response,
      ...(extra === undefined ? {} : { extra: { ...short.extra, ...second.response.extra } }),
    },
  };
}

/**
 * Exchanges for or renews a long-lived token. The new access token is also stored as the refresh token.
 */
async function requestLongLivedToken(
  deps: Deps,
  connector: Connector,
  kind: "exchange" | "renewal",
  client: ClientCredentials,
  token: string,
  call: Omit<TokenCall, "url" | "secrets">,
): Promise<TokenOutcome> {
  const declared = connector.oauth2.longLivedToken?.[kind];
  if (declared === undefined) return { kind: "never_sent", reason: "the connector has no such request" };
  const outcome = await request(
    deps,
    connector,
    kind,
    { ...call, url: declared.url, secrets: [client.secret, token] },
    async (as, wire) => {
      const oauthClient: Client = { client_id: client.id };
      const response = await genericTokenEndpointRequest(
        as,
        oauthClient,
        stepAuthentication(declared, client),
        declared.grantType,
        { access_token: token },
        { [customFetch]: wire.fetch as never },
      );
      return processGenericTokenEndpointResponse(as, oauthClient, response);
    },
  );
  if (outcome.kind !== "granted") return outcome;
  return { kind: "granted", response: { ...outcome.response, refreshToken: outcome.response.accessToken } };
}

async function request(
  { http, hooksOf }: Deps,
  connector: Connector,
  kind: TokenRequestKind,
  call: TokenCall,
  run: (as: AuthorizationServer, wire: Exchange) => Promise<TokenEndpointResponse>,
  refreshToken?: string,
): Promise<TokenOutcome> {
  const sent = refreshToken === undefined ? {} : { refreshToken };
  let hooks: TokenHooks;
  try {
    hooks = await hooksOf(connector);
  } catch {
    return { kind: "never_sent", reason: "the connector's hooks cannot be loaded" };
  }
  const wire = exchange(http, { ...call, wire: { connector, kind, hooks, values: call.values, ...sent } });
  try {
    const server: AuthorizationServer = {
      issuer: connector.oauth2.issuer ?? new URL(connector.docs).origin,
      token_endpoint: filled(connector, call.url, call.values),
    };
    const response = tokenResponse(await run(server, wire));
    return { kind: isHeaderText(response.accessToken) ? "granted" : "unusable", response };
  } catch (error) {
    return outcomeOfError(error, wire, call.secrets, connector.oauth2.deadGrantErrors);
  }
}
