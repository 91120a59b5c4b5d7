import type { Connector } from "../../connectors/define-connector.ts";
import type { GrantParts } from "./grant-deps.ts";

/** The connector of an instance; it cannot be missing but after a downgrade. */
export function connectorOf(parts: Pick<GrantParts, "connectors">, key: string): Connector {
  const connector = parts.connectors(key);
  if (connector === undefined) throw new Error(`no connector has the key ${key}`);
  return connector;
}
