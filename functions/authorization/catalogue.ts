import { connectors, findConnector, hubs } from "../connectors/catalogue.ts";
import type { Connector } from "../connectors/define-connector.ts";
import { NotFound } from "../core/errors.ts";
import { elementRepresentation } from "../http/element-representation.ts";
import { connectorOfPath } from "../http/named-connector.ts";
import { type HttpHandler, type HttpRequest, json } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import { cataloguePage } from "./catalogue-page.ts";
import { elementMetadata } from "./metadata.ts";
import { tile } from "./tile.ts";

/** GET /hubs */
export const listHubs: HttpHandler = async (request) => cataloguePage(request, hubs);

/** GET /hubs/keys */
export const listHubKeys: HttpHandler = async (request) => cataloguePage(request, hubs, ({ key }) => key);

/** GET /hubs/{hub} */
export const getHub: HttpHandler = async (request) => json(hubOf(request));

/** GET /hubs/{hub}/elements */
export const listHubElements: HttpHandler = async (request) => {
  const { key } = hubOf(request);
  return cataloguePage(
    request,
    connectors.filter(({ hub }) => hub === key),
    elementRepresentation,
  );
};

/** GET /elements */
export const listElements: HttpHandler = async (request) =>
  cataloguePage(request, connectors, elementRepresentation);

/** GET /elements/keys */
export const listElementKeys: HttpHandler = async (request) =>
  cataloguePage(request, connectors, ({ key }) => key);

/** GET /elements/metadata */
export const listElementMetadata: HttpHandler = async (request) =>
  cataloguePage(request, connectors, elementMetadata);

/** GET /elements/{keyOrId} */
export const getElement: HttpHandler = async (request) => json(elementRepresentation(connectorOf(request)));

/** GET /elements/{keyOrId}/metadata */
export const getElementMetadata: HttpHandler = async (request) => json(elementMetadata(connectorOf(request)));

/** GET /elements/images/{image}: a plain tile of ours, no trademark; without login. */
export const getElementImage: HttpHandler = async (request) => {
  const name = decodeSegment(request, "image");
  const connector = findConnector(name.replace(/\.svg$/, ""));
  if (connector === undefined) throw new NotFound(`there is no image ${name}`);
  return {
    status: 200,
    headers: {
      "Content-Type": "image/svg+xml",
      "Cache-Control": "public, max-age=86400",
      "X-Content-Type-Options": "nosniff",
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    },
    body: tile(connector),
  };
};

/** The connector of the path, by key or number. @throws {NotFound} */
export function connectorOf(request: HttpRequest): Connector {
  const connector = connectorOfPath(request);
  request.facts.connector = connector.key;
  return connector;
}

function hubOf(request: HttpRequest): (typeof hubs)[number] {
  const key = decodeSegment(request, "hub");
  const hub = hubs.find((each) => each.key === key || String(each.id) === key);
  if (hub === undefined) throw new NotFound(`there is no hub ${key}`, "unknown_hub");
  return hub;
}
