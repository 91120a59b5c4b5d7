import type { Connector } from "./define-connector.ts";

/** The data of a connector for lists. The build makes it, so that a list loads no connector. */
export interface CatalogueEntry
  extends Pick<
    Connector,
    "key" | "aliases" | "id" | "name" | "description" | "hub" | "docs" | "console" | "configuration"
  > {
  readonly authentication: {
    readonly pkce: boolean;
    readonly refreshTokens: boolean;
    readonly revocation: boolean;
    readonly defaultScopes: readonly string[];
  };
  /**
   * Methods of its vendor in the Documents hub (core/documents/vendor.ts). Absent: the connector is not in
   * that hub.
   */
  readonly documents?: readonly string[];
}

export function catalogueEntry(connector: Connector, documents?: readonly string[]): CatalogueEntry {
  const { key, aliases, id, name, description, hub, docs, console, configuration, oauth2 } = connector;
  return {
    key,
    ...(aliases === undefined ? {} : { aliases }),
    id,
    name,
    description,
    hub,
    docs,
    console,
    ...(configuration === undefined ? {} : { configuration }),
    authentication: {
      pkce: oauth2.pkce !== undefined,
      refreshTokens: oauth2.refreshToken !== undefined,
      revocation: oauth2.revocation !== undefined,
      defaultScopes: oauth2.scopes.default,
    },
    ...(documents === undefined ? {} : { documents }),
  };
}
