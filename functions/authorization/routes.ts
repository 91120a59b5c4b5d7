import { LinkspanError, NotSupported } from "../core/errors.ts";
import { implement, type Route } from "../http/contract.ts";
import type { HttpHandler } from "../http/request.ts";
import { getAuthorizationUrl, postAuthorizationUrl } from "./authorization-url.ts";
import {
  getElement,
  getElementImage,
  getElementMetadata,
  getHub,
  listElementKeys,
  listElementMetadata,
  listElements,
  listHubElements,
  listHubKeys,
  listHubs,
} from "./catalogue.ts";
import { authorizationContracts } from "./contracts.ts";
import type { AuthorizationDeps } from "./deps.ts";
import { getOpenApi } from "./openapi.ts";
import { connectorOf, urlCallers } from "./url-caller.ts";

const oauthProxies: HttpHandler = async () => {
  throw new LinkspanError(
    501,
    "not_supported",
    "OAuth proxies are not supported yet; register each app's own callback URL at the vendor, or use POST /connect/sessions",
  );
};

export function authorizationRoutes(deps: () => AuthorizationDeps): readonly Route[] {
  const callers = urlCallers(deps);
  return implement(authorizationContracts, callers, {
    "hubs.list": listHubs,
    "hubs.keys": listHubKeys,
    "hubs.get": getHub,
    "hubs.elements": listHubElements,
    "elements.list": listElements,
    "elements.keys": listElementKeys,
    "elements.metadata.list": listElementMetadata,
    "elements.image": getElementImage,
    "elements.get": getElement,
    "elements.metadata": getElementMetadata,
    "openapi.get": getOpenApi,
    "oauth.url.get": getAuthorizationUrl(deps),
    "oauth.url.create": postAuthorizationUrl(deps),
    // The first step of OAuth 1.0a; no connector uses OAuth 1.0a.
    "oauth.token": async (request) => {
      throw new NotSupported("oauth/token (OAuth 1.0a)", (await connectorOf(request)).key);
    },
    "oauth.proxies.list": oauthProxies,
    "oauth.proxies.create": oauthProxies,
    "oauth.proxies.delete": oauthProxies,
    "oauth.proxies.urls.add": oauthProxies,
    "oauth.proxies.urls.remove": oauthProxies,
  });
}
