import type { CatalogueEntry } from "../connectors/catalogue-entry.ts";
import { documentsCapabilities } from "../core/documents/capabilities.ts";
import type { ElementMetadata } from "./answers.ts";

/** What a connector supports, before anything is connected. */
export function elementMetadata(entry: CatalogueEntry): ElementMetadata {
  const { id, key, name, description, authentication, documents } = entry;
  return {
    id,
    key,
    name,
    description,
    authentication: { type: "oauth2", ...authentication },
    ...(documents === undefined ? { supportedMethods: [] } : documentsCapabilities(documents)),
    events: { supported: false, methods: [] },
  };
}
