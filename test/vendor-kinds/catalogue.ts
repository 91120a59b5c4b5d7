import { hubs, connectors as ours } from "../../functions/connectors/catalogue.ts";
import type { Connector } from "../../functions/connectors/define-connector.ts";
import { vendorKinds } from "./connectors.ts";
import { again, grace, steady, strict } from "./rotating-connectors.ts";

// Takes the place of functions/connectors/catalogue.ts in bundles for tests (context value `catalogue`).

export { hubs };

export const connectors: readonly Connector[] = [...ours, ...vendorKinds, strict, grace, steady, again];

export function findConnector(keyOrId: string): Connector | undefined {
  return connectors.find(({ key, id }) => key === keyOrId || String(id) === keyOrId);
}
