import type { Connector } from "../connectors/define-connector.ts";
import { InvalidRequest, NotFound, Unauthorized } from "../core/errors.ts";
import { chooseClient, chooseRedirectUri } from "../core/oauth/choose-client.ts";
import { type AuthorizationStart, beginAuthorization } from "../core/oauth/pending-authorization.ts";
import { present } from "../core/present.ts";
import { checkForwardable, isApplicationUrlAllowed } from "../core/tenants/allow-lists.ts";
import { oauthProxyId } from "../core/tenants/oauth-proxies.ts";
import { credentialsOf, type PlatformCaller } from "../http/authorize.ts";
import type { HttpRequest } from "../http/request.ts";
import type { AuthorizationDeps } from "./deps.ts";

/** What a caller asks for, of either form of the authorization URL. */
export interface ProxiedRequest extends Pick<AuthorizationStart, "configuration" | "endpoint"> {
  readonly apiKey?: string | undefined;
  readonly callbackUrl?: string | undefined;
  readonly scope?: string | undefined;
  readonly pkce?: boolean | undefined;
  /** The URL of the app. It is not sent to the vendor: the vendor gets a random state of ours. */
  readonly state?: string | undefined;
  readonly oauthProxyName?: string | undefined;
}

/**
 * Begins an authorization through an OAuth proxy: the vendor sends the user back to our own callback, which forwards the code
 * to the app's URL (connections/forward-code.ts).
 * @throws {Unauthorized} without the user's and the organization's secrets
 * @throws {NotFound} `unknown_oauth_proxy`
 * @throws {InvalidRequest} a name or URL is missing; `application_url_not_allowed`, `redirect_uri_mismatch`
 */
export async function beginProxied(
  { tenants, transients, vault, proxies }: AuthorizationDeps,
  request: HttpRequest,
  connector: Connector,
  caller: PlatformCaller | undefined,
  asked: ProxiedRequest,
): ReturnType<typeof beginAuthorization> {
  const { user, organization } = credentialsOf(request);
  if (caller === undefined || user === undefined || organization === undefined) {
    throw new Unauthorized(
      "an OAuth proxy takes Authorization: User <user secret>, Organization <organization secret>",
    );
  }
  const organizationId = caller.organization.id;
  const { proxyId, appUrl } = await allowedUrl({ proxies }, organizationId, asked);
  const client = await chooseClient(tenants, organizationId, connector, asked.apiKey, "apiKey");
  return await beginAuthorization(
    { transients, vault },
    {
      flow: "proxied",
      organizationId,
      userId: caller.user.id,
      connector,
      clientId: client.clientId,
      ...(client.kind === "registered" ? { appId: client.app.id } : {}),
      redirectUri: chooseRedirectUri(client, ownCallback(request, connector, asked), "callbackUrl"),
      configuration: asked.configuration,
      ...present({ endpoint: asked.endpoint, pkce: asked.pkce }),
      scope: asked.scope,
      appState: appUrl,
      proxyId,
    },
  );
}

/** The proxy of the name, and the app's URL if it is on that proxy's list. */
async function allowedUrl(
  { proxies }: Pick<AuthorizationDeps, "proxies">,
  organizationId: string,
  { oauthProxyName, state }: ProxiedRequest,
): Promise<{ proxyId: number; appUrl: string }> {
  const name = oauthProxyName?.trim();
  if (name === undefined || name === "")
    throw new InvalidRequest("oauthProxyName is missing", "oauthProxyName");
  if (state === undefined) {
    throw new InvalidRequest("state is missing: the URL of the app that gets the code", "state");
  }
  const proxy = await proxies.get(organizationId, oauthProxyId(organizationId, name));
  if (proxy === undefined) {
    throw new NotFound("there is no OAuth proxy of this name", "unknown_oauth_proxy", {
      field: "oauthProxyName",
    });
  }
  if (!isApplicationUrlAllowed(proxy, state)) {
    throw new InvalidRequest(
      "state is not on the OAuth proxy's list of application URLs",
      "state",
      "application_url_not_allowed",
    );
  }
  checkForwardable(state);
  return { proxyId: proxy.id, appUrl: state };
}

/** Where the vendor sends the user back to: never another place, or the proxy would not see the code. */
function ownCallback(
  { baseUrl }: HttpRequest,
  connector: Connector,
  { callbackUrl }: ProxiedRequest,
): string {
  const own = `${baseUrl}/oauth/callback/${connector.key}`;
  if (callbackUrl !== undefined && callbackUrl.trim() !== own) {
    throw new InvalidRequest(
      `callbackUrl is not right: with isOauthProxy it is ${own}, or left out`,
      "callbackUrl",
      "redirect_uri_mismatch",
    );
  }
  return own;
}
