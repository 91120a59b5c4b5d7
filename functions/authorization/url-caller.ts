import type { Connector } from "../connectors/define-connector.ts";
import { authorizePlatform, type PlatformCaller } from "../http/authorize.ts";
import { connectorOfPath } from "../http/named-connector.ts";
import type { HttpRequest } from "../http/request.ts";
import type { AuthorizationDeps } from "./deps.ts";

/**
 * The caller who asks for an authorization URL, and the connector. `caller` is absent if the request has no
 * credentials.
 */
export interface UrlCaller {
  readonly connector: Connector;
  readonly caller?: PlatformCaller;
}

/** Reports an unknown connector to any caller, before it checks credentials. */
export function urlCallers(deps: () => AuthorizationDeps) {
  const user = async (request: HttpRequest): Promise<Required<UrlCaller>> => {
    const connector = await connectorOf(request);
    return { connector, caller: await authorizePlatform(request, deps().tenants) };
  };
  const optionalUser = async (request: HttpRequest): Promise<UrlCaller> =>
    request.headers.authorization === undefined
      ? { connector: await connectorOf(request) }
      : await user(request);
  return { user, optionalUser };
}

/** The connector of the path. @throws {NotFound} */
export async function connectorOf(request: HttpRequest): Promise<Connector> {
  const connector = await connectorOfPath(request);
  request.logContext.connector = connector.key;
  return connector;
}
