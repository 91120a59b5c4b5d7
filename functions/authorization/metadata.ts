import type { Connector } from "../connectors/define-connector.ts";
import { documentsCapabilities } from "../core/documents/capabilities.ts";
import { findDocumentsVendor } from "../core/documents/vendor-catalogue.ts";

/** What a connector supports, before anything is connected. */
export function elementMetadata(connector: Connector): Record<string, unknown> {
  const vendor = findDocumentsVendor(connector.key);
  return {
    id: connector.id,
    key: connector.key,
    name: connector.name,
    description: connector.description,
    authentication: {
      type: "oauth2",
      pkce: connector.oauth2.pkce !== undefined,
      refreshTokens: connector.oauth2.refreshToken !== undefined,
      revocation: connector.oauth2.revocation !== undefined,
      defaultScopes: connector.oauth2.scopes.default,
    },
    ...(vendor === undefined ? { supportedMethods: [] } : documentsCapabilities(vendor)),
    events: { supported: false, methods: [] },
  };
}
