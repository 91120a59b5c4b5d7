import type { CatalogueEntry } from "../connectors/catalogue-entry.ts";
import { documentsCapabilities } from "../core/documents/capabilities.ts";
import type { ElementMetadata } from "./answers.ts";

/** A connector's capabilities, which a client can read before it connects an account. */
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
