import type { Connector } from "../connectors/define-connector.ts";
import { endpointFields } from "../core/endpoint/endpoint.ts";
import { InvalidRequest } from "../core/errors.ts";
import { budgets, checkText } from "../core/instances/budgets.ts";
import { authorizationUrl } from "../core/oauth/authorization-request.ts";
import { type ChosenClient, chooseClient, chooseRedirectUri } from "../core/oauth/choose-client.ts";
import { beginAuthorization } from "../core/oauth/pending-authorization.ts";
import { type SignInEndpoint, signInEndpoint } from "../core/oauth/sign-in-endpoint.ts";
import { present } from "../core/present.ts";
import type { PlatformCaller } from "../http/authorize.ts";
import type { Handle } from "../http/contract.ts";
import { type HttpRequest, json } from "../http/request.ts";
import { vendorEndpoint } from "../vendor-http/vendor-endpoints.ts";
import type { authorizationContracts } from "./contracts.ts";
import type { AuthorizationDeps } from "./deps.ts";
import { beginProxied } from "./oauth-proxy.ts";
import type { UrlCaller } from "./url-caller.ts";

/** 24 November 2026, when the POST form replaced the GET form; in the format of RFC 9745. */
const DEPRECATED_SINCE = "@1795478400";

type Contracts = typeof authorizationContracts;

/**
 * GET /elements/{keyOrId}/oauth/url, for old clients, most of which send no credentials: stores nothing, uses
 * no PKCE, sends the caller's state to the vendor unchanged. An app secret must not be in a query string, so
 * the answer points to the POST form.
 */
export function getAuthorizationUrl(
  deps: () => AuthorizationDeps,
): Handle<Contracts["oauth.url.get"], UrlCaller> {
  return async (request, { caller: { connector, caller }, query: asked }) => {
    const sent = { ...valuesOfQuery(request), ...urlValues(asked) };
    if (asked.isOauthProxy === true) {
      const { url } = await beginProxied(deps(), request, connector, caller, {
        ...asked,
        ...(await checkedValues(deps, connector, sent, caller?.organization.vendorHosts)),
      });
      return json({ element: connector.key, oauthUrl: vendorEndpoint(url).url });
    }
    const client = await clientOfGet(deps, connector, caller, asked.apiKey);
    // Only the connector's own hosts are allowed here; organizations' lists of vendor hosts are not used.
    const url = authorizationUrl(connector, {
      clientId: client.clientId,
      redirectUri: chooseRedirectUri(client, asked.callbackUrl, "callbackUrl"),
      scope: asked.scope,
      // The default is the connector's key: old apps read from `state` which vendor sends the user back.
      state: asked.state ?? connector.key,
      ...(await checkedValues(deps, connector, sent, [])),
    });
    return json({ element: connector.key, oauthUrl: vendorEndpoint(url).url });
  };
}

/** Headers of every answer to GET oauth/url, errors included: the request's URL may hold a secret. */
export function deprecationHeaders({ baseUrl, logContext }: HttpRequest): Record<string, string> {
  if (logContext.route !== ("oauth.url.get" satisfies keyof Contracts)) return {};
  const successor = `${baseUrl}/elements/${logContext.connector}/oauth/url`;
  return {
    "Cache-Control": "no-store",
    Deprecation: DEPRECATED_SINCE,
    ...(logContext.connector === undefined
      ? {}
      : {
          Link: `<${successor}>; rel="successor-version"; title="the same call by POST, without secrets in the URL"`,
        }),
  };
}

async function clientOfGet(
  deps: () => AuthorizationDeps,
  connector: Connector,
  caller: PlatformCaller | undefined,
  apiKey: string | undefined,
): Promise<ChosenClient> {
  if (caller !== undefined)
    return await chooseClient(deps().tenants, caller.organization.id, connector, apiKey, "apiKey");
  if (apiKey === undefined) {
    throw new InvalidRequest(
      "apiKey is missing; with an Authorization header the app registered for this element is used",
      "apiKey",
    );
  }
  return { kind: "own", clientId: apiKey.trim() };
}

/** POST /elements/{keyOrId}/oauth/url: uses a single-use state, and PKCE if the vendor supports it. */
export function postAuthorizationUrl(
  deps: () => AuthorizationDeps,
): Handle<Contracts["oauth.url.create"], Required<UrlCaller>> {
  return async (request, { caller, body: asked }) => {
    const { connector } = caller;
    const { organization, user } = caller.caller;
    const { tenants, transients, vault } = deps();
    checkText(asked.apiKey, budgets.clientId, "apiKey");
    checkText(asked.callbackUrl, budgets.redirectUri, "callbackUrl");
    checkText(asked.scope, budgets.scope, "scope");
    checkText(asked.siteAddress, budgets.hostValue, "siteAddress");
    checkText(asked.subdomain, budgets.hostValue, "subdomain");
    if (asked.pkce === true && connector.oauth2.pkce === undefined) {
      throw new InvalidRequest(`${connector.name} does not support PKCE; leave pkce out`, "pkce");
    }
    const { vendorHosts } = organization;
    const values = { ...asked.configuration, ...urlValues(asked) };
    const checked = await checkedValues(deps, connector, values, vendorHosts);
    if (asked.isOauthProxy === true) {
      const proxied = await beginProxied(deps(), request, connector, caller.caller, { ...asked, ...checked });
      return begunAnswer(connector, { ...proxied, state: asked.state ?? "" });
    }
    const client = await chooseClient(tenants, organization.id, connector, asked.apiKey, "apiKey");
    const begun = await beginAuthorization(
      { transients, vault },
      {
        flow: "direct",
        organizationId: organization.id,
        userId: user.id,
        connector,
        clientId: client.clientId,
        ...(client.kind === "registered" ? { appId: client.app.id } : {}),
        redirectUri: chooseRedirectUri(client, asked.callbackUrl, "callbackUrl"),
        ...checked,
        ...present({ appState: asked.state, pkce: asked.pkce }),
        scope: asked.scope,
      },
    );
    return begunAnswer(connector, begun);
  };
}

/** @param begun `state`: what the app gets back at its callback */
function begunAnswer(connector: Connector, begun: { url: string; state: string; expiresAt: number }) {
  return json(
    {
      element: connector.key,
      oauthUrl: vendorEndpoint(begun.url).url,
      state: begun.state,
      expiresAt: new Date(begun.expiresAt).toISOString(),
    },
    { "Cache-Control": "no-store" },
  );
}

/** Prefix of parameters that fill the vendor's URLs. */
const QUERY_PREFIX = "configuration.";

function valuesOfQuery({ query }: HttpRequest): Record<string, string> {
  const named = [...query].filter(([name]) => name.startsWith(QUERY_PREFIX));
  return Object.fromEntries(named.map(([name, value]) => [name.slice(QUERY_PREFIX.length), value]));
}

/**
 * Checks the caller's values for the connector's URLs, and reads the URLs of the vendor's metadata document.
 */
async function checkedValues(
  deps: () => AuthorizationDeps,
  connector: Connector,
  sent: Readonly<Record<string, string>>,
  vendorHosts: readonly string[] | undefined,
): Promise<{ configuration: Record<string, string>; endpoint?: SignInEndpoint["endpoint"] }> {
  const configuration = endpointFields(connector, sent);
  for (const [key, value] of Object.entries(configuration)) {
    configuration[key] = value.trim();
    checkText(configuration[key], budgets.hostValue, `configuration.${key}`);
  }
  const { discover } = deps();
  const { endpoint } = await signInEndpoint(discover, connector, configuration, { vendorHosts });
  return { configuration, ...present({ endpoint }) };
}

function urlValues(asked: {
  siteAddress?: string | undefined;
  subdomain?: string | undefined;
}): Record<string, string> {
  return {
    ...(asked.siteAddress === undefined ? {} : { "site.address": asked.siteAddress.trim() }),
    ...(asked.subdomain === undefined ? {} : { subdomain: asked.subdomain.trim() }),
  };
}
