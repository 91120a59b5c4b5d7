import {
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  type Client,
  customFetch,
  nopkce,
  processGenericTokenEndpointResponse,
  processRefreshTokenResponse,
  ResponseBodyError,
  refreshTokenGrantRequest,
  skipStateCheck,
  type TokenEndpointResponse,
  validateAuthResponse,
} from "oauth4webapi";
import type { Connector } from "../../connectors/define-connector.ts";
import type { TokenEndpoint, TokenOutcome, TokenResponse } from "../grant/ports.ts";
import { AddressRefused, type VendorHttp, VendorUnreachable } from "../vendor-http.ts";
import { connectorUrl } from "./connector-url.ts";
import { CLIENT_ERRORS, cutSecrets, oauthError } from "./oauth-errors.ts";
import { revocationEndpoint } from "./revocation.ts";
import { clientAuthentication, type Exchange, exchange } from "./token-request.ts";
import { VENDOR_TOKEN_TYPE } from "./token-response.ts";

/** Standard members of a token answer; whatever else is a string or number goes into `extra`. */
const STANDARD = new Set([
  "access_token",
  "token_type",
  "refresh_token",
  "scope",
  "expires_in",
  VENDOR_TOKEN_TYPE,
]);
const MAX_EXTRA_CHARACTERS = 2_000;

/** The token endpoints of all vendors, on oauth4webapi. Each outcome is told apart as the grant's life needs it. */
export function tokenEndpoint(http: VendorHttp): TokenEndpoint {
  async function request(
    connector: Connector,
    call: {
      readonly secrets: readonly string[];
      readonly configuration: Readonly<Record<string, string>>;
      readonly timeoutMs: number;
      readonly beforeSend?: () => void;
    },
    run: (as: AuthorizationServer, wire: Exchange) => Promise<TokenEndpointResponse>,
  ): Promise<TokenOutcome> {
    const wire = exchange(http, call);
    try {
      const server: AuthorizationServer = {
        issuer: connector.oauth2.issuer ?? new URL(connector.docs).origin,
        token_endpoint: connectorUrl(connector.oauth2.tokenUrl, call.configuration),
      };
      return { kind: "granted", response: tokenResponse(await run(server, wire)) };
    } catch (error) {
      return failed(error, wire, call.secrets);
    }
  }

  const endpoint: TokenEndpoint = {
    exchangeCode: (connector, client, { code, redirectUri, codeVerifier, ...call }) =>
      request(
        connector,
        { ...call, secrets: [client.secret, code, ...(codeVerifier === undefined ? [] : [codeVerifier])] },
        async (as, wire) => {
          const oauthClient: Client = { client_id: client.id };
          // State and issuer were checked where they arrived; here the code alone counts.
          const parameters = validateAuthResponse(
            as,
            oauthClient,
            new URLSearchParams({ code }),
            skipStateCheck,
          );
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
      ),
    refresh: (connector, client, { refreshToken, ...call }) =>
      request(connector, { ...call, secrets: [client.secret, refreshToken] }, async (as, wire) => {
        const oauthClient: Client = { client_id: client.id };
        const response = await refreshTokenGrantRequest(
          as,
          oauthClient,
          clientAuthentication(connector, client),
          refreshToken,
          { [customFetch]: wire.fetch as never },
        );
        return processRefreshTokenResponse(as, oauthClient, response);
      }),
    revoke: (connector, client, grant) => revocationEndpoint(http, endpoint)(connector, client, grant),
  };
  return endpoint;
}

function tokenResponse(answer: TokenEndpointResponse): TokenResponse {
  const extra: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer)) {
    if (STANDARD.has(name)) continue;
    const text = typeof value === "string" || typeof value === "number" ? String(value) : undefined;
    if (text !== undefined && text.length <= MAX_EXTRA_CHARACTERS) extra[name] = text;
  }
  const tokenType = answer[VENDOR_TOKEN_TYPE];
  return {
    accessToken: answer.access_token,
    tokenType: typeof tokenType === "string" ? tokenType : "bearer",
    ...(answer.refresh_token === undefined ? {} : { refreshToken: answer.refresh_token }),
    ...(answer.scope === undefined ? {} : { scope: answer.scope }),
    ...(answer.expires_in === undefined ? {} : { expiresInMs: answer.expires_in * 1000 }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** Which case of the protocol's step 5 this is. What is not known to have done nothing is `unknown`. */
function failed(error: unknown, wire: Exchange, secrets: readonly string[]): TokenOutcome {
  const reason = (told: string) => cutSecrets(told, secrets).slice(0, 200);
  if (!wire.sent() && !(error instanceof VendorUnreachable && error.sent)) {
    return { kind: "never_sent", reason: reason(describe(error)) };
  }
  const status = wire.status();
  if (status === undefined) return { kind: "unknown", reason: reason(describe(error)) };
  const told = error instanceof ResponseBodyError ? oauthError(error.cause, secrets) : undefined;
  if (told?.error === "invalid_grant" && status !== 429) return { kind: "invalid_grant", ...told };
  if (told !== undefined && CLIENT_ERRORS.has(told.error)) {
    return { kind: "client_refused", status, ...told };
  }
  const retryAfterMs = wire.retryAfterMs();
  // An error under status 200 was made a 400 for the library: the vendor said no, whatever the number.
  const refused = (status >= 400 && status < 500) || (status === 200 && told !== undefined);
  if (refused || (status === 503 && retryAfterMs !== undefined)) {
    return {
      kind: "refused",
      status,
      ...(told ?? { error: `http_${status}` }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }
  return {
    kind: "unknown",
    reason: status >= 200 && status < 300 ? `an answer that cannot be read (${status})` : `status ${status}`,
  };
}

function describe(error: unknown): string {
  if (error instanceof VendorUnreachable || error instanceof AddressRefused) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : "unknown";
}
