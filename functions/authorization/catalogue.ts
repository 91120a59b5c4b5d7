import { catalogueEntries, findEntry, hubs } from "../connectors/catalogue.ts";
import type { CatalogueEntry } from "../connectors/catalogue-entry.ts";
import type { Connector } from "../connectors/define-connector.ts";
import { NotFound } from "../core/errors.ts";
import { elementRepresentation } from "../http/element-representation.ts";
import { connectorOfPath, entryOfPath } from "../http/named-connector.ts";
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
    (await catalogueEntries()).filter(({ hub }) => hub === key),
    elementRepresentation,
  );
};

/** GET /elements */
export const listElements: HttpHandler = async (request) =>
  cataloguePage(request, await catalogueEntries(), elementRepresentation);

/** GET /elements/keys */
export const listElementKeys: HttpHandler = async (request) =>
  cataloguePage(request, await catalogueEntries(), ({ key }) => key);

/** GET /elements/metadata */
export const listElementMetadata: HttpHandler = async (request) =>
  cataloguePage(request, await catalogueEntries(), elementMetadata);

/** GET /elements/{keyOrId} */
export const getElement: HttpHandler = async (request) => json(elementRepresentation(await entryOf(request)));

/** GET /elements/{keyOrId}/metadata */
export const getElementMetadata: HttpHandler = async (request) =>
  json(elementMetadata(await entryOf(request)));

/** GET /elements/images/{image}: a plain tile of ours, no trademark; without login. */
export const getElementImage: HttpHandler = async (request) => {
  const name = decodeSegment(request, "image");
  const entry = await findEntry(name.replace(/\.svg$/, ""));
  if (entry === undefined) throw new NotFound(`there is no image ${name}`);
  return {
    status: 200,
    headers: {
      "Content-Type": "image/svg+xml",
      "Cache-Control": "public, max-age=86400",
      "X-Content-Type-Options": "nosniff",
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    },
    body: tile(entry),
  };
};

/** The connector of the path, by key or number. @throws {NotFound} */
export async function connectorOf(request: HttpRequest): Promise<Connector> {
  const connector = await connectorOfPath(request);
  request.facts.connector = connector.key;
  return connector;
}

/** The same, of which only the entry is needed. @throws {NotFound} */
async function entryOf(request: HttpRequest): Promise<CatalogueEntry> {
  const entry = await entryOfPath(request);
  request.facts.connector = entry.key;
  return entry;
}

function hubOf(request: HttpRequest): (typeof hubs)[number] {
  const key = decodeSegment(request, "hub");
  const hub = hubs.find((each) => each.key === key || String(each.id) === key);
  if (hub === undefined) throw new NotFound(`there is no hub ${key}`, "unknown_hub");
  return hub;
}
