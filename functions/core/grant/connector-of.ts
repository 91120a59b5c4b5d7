import type { Connector } from "../../connectors/define-connector.ts";
import type { GrantDeps } from "./grant-deps.ts";

/** The connector of an instance. It is missing only after a downgrade of Linkspan. */
export function connectorOf(deps: Pick<GrantDeps, "connectors">, key: string): Connector {
  const connector = deps.connectors(key);
  if (connector === undefined) throw new Error(`no connector has the key ${key}`);
  return connector;
}
