import { connectorByKey, findEntry } from "../connectors/catalogue.ts";
import type { CatalogueEntry } from "../connectors/catalogue-entry.ts";
import type { Connector } from "../connectors/define-connector.ts";
import { NotFound } from "../core/errors.ts";
import type { HttpRequest } from "./request.ts";
import { decodeSegment } from "./route-table.ts";

/** An entry of the catalogue by its key or the original catalogue's number. @throws {NotFound} */
async function entryNamed(keyOrId: string): Promise<CatalogueEntry> {
  const entry = await findEntry(keyOrId);
  if (entry === undefined) throw new NotFound(`there is no element ${keyOrId}`, "unknown_element");
  return entry;
}

/** A connector by its key or the original catalogue's number. @throws {NotFound} */
export async function connectorNamed(keyOrId: string): Promise<Connector> {
  return connectorByKey((await entryNamed(keyOrId)).key) as Connector;
}

/** The connector of `/elements/{keyOrId}/…`. @throws {NotFound} */
export async function connectorOfPath(request: HttpRequest): Promise<Connector> {
  return await connectorNamed(decodeSegment(request, "keyOrId"));
}

/** The catalogue entry of `/elements/{keyOrId}/…`. @throws {NotFound} */
export async function entryOfPath(request: HttpRequest): Promise<CatalogueEntry> {
  return await entryNamed(decodeSegment(request, "keyOrId"));
}
