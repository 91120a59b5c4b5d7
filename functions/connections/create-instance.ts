import type { Connector } from "../connectors/define-connector.ts";
import { hasFixedEndpoint } from "../core/endpoint/endpoint.ts";
import { InvalidRequest, LinkspanError } from "../core/errors.ts";
import { provisionInstance } from "../core/grant/sign-in/first-exchange.ts";
import { importInstance } from "../core/grant/sign-in/import-grant.ts";
import { budgets, checkConfiguration, checkText } from "../core/instances/budgets.ts";
import type { OAuthClient } from "../core/instances/instance.ts";
import { hashOf } from "../core/instances/sign-in-epoch.ts";
import { isOwnState } from "../core/oauth/authorization-request.ts";
import { checkIssuer } from "../core/oauth/authorization-response.ts";
import { type ChosenClient, chooseClient, chooseRedirectUri } from "../core/oauth/choose-client.ts";
import { stateOfForwarded } from "../core/oauth/forwarded-code.ts";
import { lifetimeOf } from "../core/oauth/lifetime.ts";
import {
  type ConsumedAuthorization,
  consumeAuthorization,
  findAuthorization,
} from "../core/oauth/pending-authorization.ts";
import { type SignInEndpoint, signInEndpoint } from "../core/oauth/sign-in-endpoint.ts";
import { present } from "../core/present.ts";
import { hashSecret } from "../core/secret-hash.ts";
import type { User } from "../core/tenants/ports.ts";
import type { PlatformCaller } from "../http/authorize.ts";
import { connectorNamed, connectorOfPath } from "../http/named-connector.ts";
import { type HttpRequest, type HttpResponse, json } from "../http/request.ts";
import type { InstanceAnswer } from "./answers.ts";
import { type ConfigurationValues, readConfiguration } from "./configuration-values.ts";
import type { ConnectionHandle } from "./contracts.ts";
import type { ConnectionDeps } from "./deps.ts";
import { codeOf, elementKeyOrId, extraOf, type InstanceBody } from "./instance-body.ts";
import { instanceRepresentation } from "./instance-representation.ts";
import { missingScopesOf } from "./missing-scopes.ts";

/**
 * POST /instances and POST /elements/{keyOrId}/instances: from an authorization code, or from a grant that
 * was obtained elsewhere.
 */
export function createInstance(deps: () => ConnectionDeps): ConnectionHandle<"instances.create"> {
  return async (request, { caller, body }) => {
    const asked = await readAsked(deps(), request, caller, body);
    const { code, imported } = asked;
    if (code === undefined && imported === undefined)
      throw new InvalidRequest("providerData.code is missing", "providerData.code");
    const { connector, extra = {} } = asked;
    const { vendorHosts } = caller.organization;
    const configuration = {
      ...(await configurationOfUrl(deps(), caller.user, asked, code)),
      ...asked.configuration.plain,
    };
    const found = await signInEndpoint(deps().discover, connector, configuration, {
      captured: extra,
      vendorHosts,
    });
    const { endpoint } = found;
    const made =
      code === undefined
        ? await importInstance(
            deps().grants,
            { ...asked.common, ...imported, ...ownValues(asked), ...present({ endpoint }) },
            request,
          )
        : await fromCode(deps(), request, caller.user, asked, { code, ...found });
    return await created(deps(), request, made, caller.user);
  };
}

/** The caller's request, read and checked. */
type Asked = Awaited<ReturnType<typeof readAsked>>;

async function readAsked(
  { tenants }: ConnectionDeps,
  request: HttpRequest,
  { organization, user }: PlatformCaller,
  body: InstanceBody,
) {
  const connector = await connectorOf(request, body);
  request.logContext.connector = connector.key;
  const providerData = body.providerData ?? {};
  const configuration = readConfiguration(connector, body.configuration ?? {});
  checkConfiguration(configuration);
  const name = body.name || connector.name;
  const tags = body.tags === undefined || body.tags.length === 0 ? [name] : body.tags;
  const extra = extraOf(connector, providerData, configuration.plain);
  const { externalAuthentication } = body;
  const owner = { organizationId: organization.id, userId: user.id, connector };
  const field = "configuration.oauth.api.key";
  const ownKey = configuration.plain["oauth.api.key"];
  const client = await chooseClient(tenants, organization.id, connector, ownKey, field);
  return {
    connector,
    providerData,
    configuration,
    extra,
    client,
    oauthClient: oauthClientOf(client, configuration),
    code: codeOf(providerData),
    imported: importedGrant(providerData, configuration),
    common: { ...owner, name, tags, ...present({ extra, externalAuthentication }) },
  };
}

/**
 * The configuration with which the authorization URL was made, if the vendor's URLs need one, so that the app
 * need not repeat it. Does not consume the state; `authorizationOf` checks and consumes it.
 */
async function configurationOfUrl(
  { transients }: ConnectionDeps,
  user: User,
  { connector, client, providerData: { state } }: Asked,
  code: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (hasFixedEndpoint(connector) || code === undefined) return {};
  const found = await findState({ transients }, connector, state, { clientId: client.clientId, code });
  if (found === undefined) return {};
  const waiting = await findAuthorization({ transients }, found.hash, code);
  const isOwn = waiting?.organizationId === user.organizationId && waiting.userId === user.id;
  return isOwn && waiting.connector === connector.key ? waiting.configuration : {};
}

/**
 * Client and configuration of an import: only the caller's own values, because an import has no authorization
 * URL.
 */
function ownValues({ oauthClient, configuration }: Asked) {
  return {
    client: oauthClient,
    configuration: configuration.plain,
    secretConfiguration: configuration.secret,
  };
}

async function fromCode(
  deps: ConnectionDeps,
  request: HttpRequest,
  user: User,
  { connector, providerData, configuration, client, oauthClient, common }: Asked,
  { code, endpoint, server }: SignInEndpoint & { readonly code: string },
): ReturnType<typeof provisionInstance> {
  checkIssuer(connector, providerData.iss, "providerData.iss", server);
  const sent = { clientId: client.clientId, code };
  const { authorization, repeated } = await authorizationOf(deps, user, connector, providerData.state, sent);
  const redirectUri =
    redirectUriOf(authorization, configuration.plain["oauth.callback.url"]) ??
    chooseRedirectUri(client, undefined, "configuration.oauth.callback.url");
  const { codeVerifier, epoch, appState, appId, askedScopes } = authorization ?? {};
  const exchange = {
    ...common,
    // Uses the app of the authorization URL, even if the organization's first app is another one now.
    client: client.kind === "registered" && appId !== undefined ? { kind: client.kind, appId } : oauthClient,
    code,
    redirectUri,
    ...(repeated ? { repeated } : {}),
    ...present({ codeVerifier, epoch, askedScopes, appState, endpoint }),
    configuration: {
      ...authorization?.configuration,
      ...configuration.plain,
      "oauth.callback.url": redirectUri,
    },
    secretConfiguration: configuration.secret,
  };
  return await restoringState(authorization, () =>
    provisionInstance(deps.grants, deps.transients, exchange, request),
  );
}

/**
 * The redirect URI that the vendor compares with that of the authorization request. Behind an OAuth proxy it is ours, and an
 * app that shares it may send another one.
 */
export function redirectUriOf(
  authorization: ConsumedAuthorization | undefined,
  sent: string | undefined,
): string | undefined {
  return authorization?.flow === "proxied" ? authorization.redirectUri : (sent ?? authorization?.redirectUri);
}

async function created(
  deps: ConnectionDeps,
  request: HttpRequest,
  made: Awaited<ReturnType<typeof provisionInstance>>,
  user: User,
): Promise<HttpResponse<InstanceAnswer>> {
  request.logContext.instanceId = made.instance.id;
  const missing = await missingScopesOf(deps, made.instance);
  const shown = { ...instanceRepresentation(made.instance, user, made.token), ...missing };
  return json(shown, { "Cache-Control": "no-store" });
}

/** @throws {InvalidRequest} the request names no connector @throws {NotFound} the connector does not exist */
async function connectorOf(request: HttpRequest, body: InstanceBody): Promise<Connector> {
  if (request.params.keyOrId !== undefined) return await connectorOfPath(request);
  const keyOrId = elementKeyOrId(body.element);
  if (keyOrId === undefined) throw new InvalidRequest("element.key is missing", "element.key");
  return await connectorNamed(keyOrId);
}

/**
 * The OAuth client that authenticates at the token endpoint.
 * @throws {InvalidRequest} the client's secret is missing
 */
export function oauthClientOf(client: ChosenClient, configuration: ConfigurationValues): OAuthClient {
  if (client.kind === "registered") return { kind: "registered", appId: client.app.id };
  const secret = configuration.secret["oauth.api.secret"];
  if (secret === undefined) {
    throw new InvalidRequest(
      "configuration.oauth.api.secret is missing: it belongs to configuration.oauth.api.key",
      "configuration.oauth.api.secret",
    );
  }
  return { kind: "own", id: client.clientId, secret };
}

/**
 * The state of ours with which the authorization of a code began: the state that came with the code, or, for a code that an
 * OAuth proxy forwarded, the one that its callback noted.
 * @returns undefined: none; a state that came is the app's own
 */
async function findState(
  deps: Pick<ConnectionDeps, "transients">,
  connector: Connector,
  state: string | undefined,
  { clientId, code }: { readonly clientId: string; readonly code: string },
): Promise<{ readonly hash: string; readonly flow: "direct" | "proxied" } | undefined> {
  if (state !== undefined && isOwnState(state)) return { hash: hashSecret(state), flow: "direct" };
  const hash = await stateOfForwarded(deps, { connector: connector.key, clientId, code });
  return hash === undefined ? undefined : { hash, flow: "proxied" };
}

/** The result of consuming the state that belongs to a code. */
interface StateOfCode {
  /** Absent: Linkspan did not make the state, or `repeated` is true. */
  readonly authorization?: ConsumedAuthorization;
  /** An earlier request with the same code has consumed the state. */
  readonly repeated: boolean;
}

/**
 * Consumes the state of ours that belongs to a code (`findState`). Any other state is the app's own, and is ignored.
 * @throws {InvalidRequest} `invalid_state`: the state is unknown, used, too old, or of another connector or user
 */
export async function authorizationOf(
  deps: ConnectionDeps,
  user: User,
  connector: Connector,
  state: string | undefined,
  { clientId, code }: { clientId: string; code: string },
): Promise<StateOfCode> {
  const found = await findState(deps, connector, state, { clientId, code });
  if (found === undefined) return { repeated: false };
  // A client that lost the answer sends the same request again; then both state and code are used. Reports
  // the used code, so that the exchange stops, with an error that names the instance made before. The code is
  // not sent to the vendor again, because its verifier is for one exchange (RFC 9700 section 2.1.1).
  const seen = await deps.transients.get(`code#${hashOf(connector.key, clientId, code)}`);
  if (seen !== undefined) return { repeated: true };
  const authorization = await consumeAuthorization(
    { transients: deps.transients, vault: deps.grants.vault },
    found.hash,
    code,
  );
  if (
    authorization?.flow !== found.flow ||
    authorization.connector !== connector.key ||
    authorization.organizationId !== user.organizationId ||
    authorization.userId !== user.id
  ) {
    await authorization?.useUp();
    throw new InvalidRequest(
      "providerData.state is unknown, used, too old, or was made for another element or user; send the user through a new authorization URL",
      "providerData.state",
      "invalid_state",
    );
  }
  return { authorization, repeated: false };
}

/**
 * Runs an exchange. If the exchange fails with 429 or 503, or with an unexpected error (a store does not
 * answer), puts the state back, so that the same request can be sent again. If the code has been used
 * nevertheless, the repeated request reports the used code.
 */
export async function restoringState<T>(
  authorization: ConsumedAuthorization | undefined,
  exchange: () => Promise<T>,
): Promise<T> {
  try {
    return await exchange();
  } catch (error) {
    if (mayComeAgain(error)) await authorization?.putBack().catch(() => {});
    throw error;
  }
}

/**
 * Whether the same request may be sent again after this error: the error does not show that the code was
 * refused.
 */
export function mayComeAgain(error: unknown): boolean {
  return !(error instanceof LinkspanError) || error.status === 503 || error.status === 429;
}

/** An imported grant, from `configuration` or from `providerData`. */
function importedGrant(
  providerData: Readonly<Record<string, string>>,
  { grant }: ConfigurationValues,
): ConfigurationValues["grant"] | undefined {
  const accessToken = grant.accessToken ?? providerData.access_token;
  const refreshToken = grant.refreshToken ?? providerData.refresh_token;
  if (accessToken === undefined && refreshToken === undefined) return undefined;
  const { importedToken } = budgets;
  // Tokens in `configuration` need no check here: the body's schema limits each value.
  checkText(providerData.access_token, importedToken, "providerData.access_token");
  checkText(providerData.refresh_token, importedToken, "providerData.refresh_token");
  const seconds = lifetimeOf(providerData.expires_in);
  const expiresInMs = grant.expiresInMs ?? (seconds === undefined ? undefined : seconds * 1000);
  return {
    ...present({ accessToken, refreshToken, expiresInMs }),
  };
}
