import { findConnector } from "../connectors/catalogue.ts";
import type { Connector } from "../connectors/define-connector.ts";
import { NotFound } from "../core/errors.ts";
import type { HttpRequest } from "./request.ts";
import { decodeSegment } from "./route-table.ts";

/** A connector by its key or the original catalogue's number. @throws {NotFound} */
export function connectorNamed(keyOrId: string): Connector {
  const connector = findConnector(keyOrId);
  if (connector === undefined) throw new NotFound(`there is no element ${keyOrId}`, "unknown_element");
  return connector;
}

/** The connector of `/elements/{keyOrId}/…`. @throws {NotFound} */
export function connectorOfPath(request: HttpRequest): Connector {
  return connectorNamed(decodeSegment(request, "keyOrId"));
}
