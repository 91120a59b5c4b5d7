import { type AuthorizationServer, type Client, customFetch, revocationRequest } from "oauth4webapi";
import type { Connector } from "../../connectors/define-connector.ts";
import { endpointValues, filled } from "../endpoint/endpoint.ts";
import type { Grant } from "../instances/instance.ts";
import { readAnswer } from "../vendor-answer/read-answer.ts";
import { isHeaderText, type VendorHttp } from "../vendor-http.ts";
import { isDeadGrant } from "./dead-grant.ts";
import { isClientError, oauthError } from "./oauth-errors.ts";
import type { ClientCredentials, TokenEndpoint } from "./ports.ts";
import { clientAuthentication, exchange } from "./token-request.ts";

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 100_000;

interface Deps {
  readonly http: VendorHttp;
  readonly tokens: Pick<TokenEndpoint, "refresh">;
}

/** Ends a grant at its vendor. `true`: revoked, or dead already; `false`: try again later. */
export async function revoke(
  deps: Deps,
  connector: Connector,
  client: ClientCredentials,
  grant: Grant,
): Promise<boolean> {
  const ended = await Promise.all(
    splitBySignIn(grant).map((each) => revokeOne(deps, connector, client, each)),
  );
  return ended.every((each) => each);
}

async function revokeOne(
  { http, tokens }: Deps,
  connector: Connector,
  client: ClientCredentials,
  grant: Grant,
): Promise<boolean> {
  const { revocation } = connector.oauth2;
  if (revocation === undefined) return true;
  try {
    const values = endpointValues(connector, {}, grant);
    const url = filled(connector, revocation.url, values);
    if (revocation.style === "rfc7009") return await revokeByForm(http, connector, url, client, grant);
    const first = await revokeByBearer(http, connector, url, grant.accessToken);
    if (first !== "dead token") return first === "ended";
    // The access token has expired, but its refresh token may be valid: get one more access token, to end both.
    // (A long-lived access token is also the refresh token, so both are dead.)
    if (grant.refreshToken === undefined || grant.refreshToken === grant.accessToken) return true;
    const refreshed = await tokens.refresh(connector, client, {
      refreshToken: grant.refreshToken,
      values,
      timeoutMs: TIMEOUT_MS,
      beforeSend: () => {},
    });
    if (refreshed.kind === "invalid_grant") return true;
    if (refreshed.kind !== "granted") return false;
    return (await revokeByBearer(http, connector, url, refreshed.response.accessToken)) === "ended";
  } catch {
    // The vendor cannot be reached, or its answer cannot be read: the caller tries again.
    return false;
  }
}

/** RFC 7009 section 2.1: a form with the refresh token, or with the access token if there is none. */
async function revokeByForm(
  http: VendorHttp,
  connector: Connector,
  url: string,
  client: ClientCredentials,
  grant: Grant,
): Promise<boolean> {
  const as: AuthorizationServer = {
    issuer: connector.oauth2.issuer ?? new URL(connector.docs).origin,
    revocation_endpoint: url,
  };
  const oauthClient: Client = { client_id: client.id };
  const response = await revocationRequest(
    as,
    oauthClient,
    clientAuthentication(connector, client),
    grant.refreshToken ?? grant.accessToken,
    {
      [customFetch]: exchange(http, { timeoutMs: TIMEOUT_MS }).fetch as never,
      additionalParameters: {
        token_type_hint: grant.refreshToken === undefined ? "access_token" : "refresh_token",
      },
    },
  );
  if (response.ok) return true;
  // RFC 7009 section 2.2 answers 200 for a token that is dead already; Google answers 400 invalid_token:
  // https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke
  return saysDead(connector, response.status, await response.json().catch(() => undefined));
}

/** A call with the access token itself, which must therefore be valid. */
async function revokeByBearer(
  http: VendorHttp,
  connector: Connector,
  url: string,
  accessToken: string,
): Promise<"ended" | "dead token" | "failed"> {
  // No request can carry this token, so it counts as dead.
  if (!isHeaderText(accessToken)) return "dead token";
  const response = await http.send({
    method: "POST",
    url,
    headers: [["Authorization", `Bearer ${accessToken}`]],
    allowedHosts: [new URL(url).host],
    timeoutMs: TIMEOUT_MS,
    freshConnection: true,
    lenient: true,
  });
  const { status } = response;
  const limits = { maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS, forms: true };
  // The status decides (RFC 7009 section 2.2), except that some vendors send an error body with a 2xx status.
  const said = await readAnswer(response, limits).catch(() => undefined);
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess && (Array.isArray(said?.value) || oauthError(said?.value, [], status) === undefined))
    return "ended";
  const isDead = status === 401 || saysDead(connector, isSuccess ? 400 : status, said?.value);
  return isDead ? "dead token" : "failed";
}

/**
 * A carried-over refresh token and the access token stored with it belong to two sign-ins, so each is revoked separately.
 */
function splitBySignIn(grant: Grant): Grant[] {
  const { carried, refreshToken, ...own } = grant;
  if (carried === undefined || refreshToken === undefined) return [grant];
  return [{ ...own, refreshToken, accessToken: carried.accessToken }, own];
}

/** Whether a revocation was refused because its token is dead already. */
function saysDead(connector: Connector, status: number, body: unknown): boolean {
  const said = status >= 400 && status < 500 && status !== 429 ? oauthError(body, []) : undefined;
  return (
    said !== undefined && !isClientError(said.error) && isDeadGrant(said, connector.oauth2.deadGrantErrors)
  );
}
