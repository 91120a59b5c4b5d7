import { LinkspanError, NotSupported } from "../core/errors.ts";
import type { HttpHandler } from "../http/request.ts";
import type { Route } from "../http/route-table.ts";
import { GET_URL, getAuthorizationUrl, postAuthorizationUrl } from "./authorization-url.ts";
import {
  connectorOf,
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
import { deps } from "./deps.ts";

/** OAuth 1.0a's first step: no connector here speaks it. */
const getRequestToken: HttpHandler = async (request) => {
  throw new NotSupported("oauth/token (OAuth 1.0a)", (await connectorOf(request)).key);
};

const oauthProxies: HttpHandler = async () => {
  throw new LinkspanError(
    501,
    "not_supported",
    "OAuth proxies are not supported yet; register each app's own callback URL at the vendor, or use POST /connect/sessions",
  );
};

export const routes: readonly Route[] = [
  { method: "GET", path: "/hubs", name: "hubs.list", handle: listHubs },
  { method: "GET", path: "/hubs/keys", name: "hubs.keys", handle: listHubKeys },
  { method: "GET", path: "/hubs/{hub}", name: "hubs.get", handle: getHub },
  { method: "GET", path: "/hubs/{hub}/elements", name: "hubs.elements", handle: listHubElements },
  { method: "GET", path: "/elements", name: "elements.list", handle: listElements },
  { method: "GET", path: "/elements/keys", name: "elements.keys", handle: listElementKeys },
  { method: "GET", path: "/elements/metadata", name: "elements.metadata.list", handle: listElementMetadata },
  { method: "GET", path: "/elements/images/{image}", name: "elements.image", handle: getElementImage },
  { method: "GET", path: "/elements/{keyOrId}", name: "elements.get", handle: getElement },
  {
    method: "GET",
    path: "/elements/{keyOrId}/metadata",
    name: "elements.metadata",
    handle: getElementMetadata,
  },
  {
    method: "GET",
    path: "/elements/{keyOrId}/oauth/url",
    name: GET_URL,
    handle: getAuthorizationUrl(deps),
  },
  {
    method: "POST",
    path: "/elements/{keyOrId}/oauth/url",
    name: "oauth.url.create",
    handle: postAuthorizationUrl(deps),
  },
  { method: "GET", path: "/elements/{keyOrId}/oauth/token", name: "oauth.token", handle: getRequestToken },
  { method: "GET", path: "/elements/oauthProxies", name: "oauth.proxies.list", handle: oauthProxies },
  { method: "POST", path: "/elements/oauthProxies", name: "oauth.proxies.create", handle: oauthProxies },
  {
    method: "DELETE",
    path: "/elements/oauthProxies/{id}",
    name: "oauth.proxies.delete",
    handle: oauthProxies,
  },
  {
    method: "POST",
    path: "/elements/oauthProxies/{id}/applicationUrl",
    name: "oauth.proxies.urls.add",
    handle: oauthProxies,
  },
  {
    method: "DELETE",
    path: "/elements/oauthProxies/{id}/applicationUrl",
    name: "oauth.proxies.urls.remove",
    handle: oauthProxies,
  },
];
