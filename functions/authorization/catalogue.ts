import { catalogueEntries, findEntry, hubs } from "../connectors/catalogue.ts";
import type { CatalogueEntry } from "../connectors/catalogue-entry.ts";
import { NotFound } from "../core/errors.ts";
import type { Handle } from "../http/contract.ts";
import { elementRepresentation } from "../http/element-representation.ts";
import { entryOfPath } from "../http/named-connector.ts";
import { type HttpHandler, type HttpRequest, json } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import { cataloguePage } from "./catalogue-page.ts";
import type { authorizationContracts } from "./contracts.ts";
import { elementMetadata } from "./metadata.ts";
import { tile } from "./tile.ts";

type Contracts = typeof authorizationContracts;

export const listHubs: Handle<Contracts["hubs.list"]> = async (request, { query }) =>
  cataloguePage(request, query, hubs, (hub) => hub);

export const listHubKeys: Handle<Contracts["hubs.keys"]> = async (request, { query }) =>
  cataloguePage(request, query, hubs, ({ key }) => key);

export const getHub: Handle<Contracts["hubs.get"]> = async (request) => json(hubOf(request));

export const listHubElements: Handle<Contracts["hubs.elements"]> = async (request, { query }) => {
  const { key } = hubOf(request);
  const entries = (await catalogueEntries()).filter(({ hub }) => hub === key);
  return cataloguePage(request, query, entries, elementRepresentation);
};

export const listElements: Handle<Contracts["elements.list"]> = async (request, { query }) =>
  cataloguePage(request, query, await catalogueEntries(), elementRepresentation);

export const listElementKeys: Handle<Contracts["elements.keys"]> = async (request, { query }) =>
  cataloguePage(request, query, await catalogueEntries(), ({ key }) => key);

export const listElementMetadata: Handle<Contracts["elements.metadata.list"]> = async (request, { query }) =>
  cataloguePage(request, query, await catalogueEntries(), elementMetadata);

export const getElement: Handle<Contracts["elements.get"]> = async (request) =>
  json(elementRepresentation(await entryOf(request)));

export const getElementMetadata: Handle<Contracts["elements.metadata"]> = async (request) =>
  json(elementMetadata(await entryOf(request)));

/** A plain tile, not the vendor's trademark. Needs no credentials. */
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

/** The entry of the path, by key or number. @throws {NotFound} */
async function entryOf(request: HttpRequest): Promise<CatalogueEntry> {
  const entry = await entryOfPath(request);
  request.logContext.connector = entry.key;
  return entry;
}

function hubOf(request: HttpRequest): (typeof hubs)[number] {
  const key = decodeSegment(request, "hub");
  const hub = hubs.find((each) => each.key === key || String(each.id) === key);
  if (hub === undefined) throw new NotFound(`there is no hub ${key}`, "unknown_hub");
  return hub;
}
