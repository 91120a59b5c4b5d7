import { NotSupported } from "../core/errors.ts";
import { implement, type Route } from "../http/contract.ts";
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

export function authorizationRoutes(deps: () => AuthorizationDeps): readonly Route[] {
  const callers = urlCallers(deps);
  const routes = implement(authorizationContracts, callers, {
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
  });
  const image = routes.find(({ name }) => name === "elements.image");
  // Old clients join the path of an image to the host with `/elements`, without `/api-v2`.
  return image === undefined ? routes : [...routes, { ...image, path: "/images/{image}" }];
}
