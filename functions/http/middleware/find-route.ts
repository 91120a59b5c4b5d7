import { LinkspanError } from "../../core/errors.ts";
import type { Route } from "../contract.ts";
import type { HttpRequest } from "../request.ts";
import { routeTable } from "../route-table.ts";
import type { Middleware } from "./call.ts";

/**
 * Finds the route of a call.
 * @throws {LinkspanError} 404, 405; 400 for a path with invalid percent-encoding; 307 for a path with double slashes
 */
export function findRoute(routes: readonly Route[]): Middleware {
  const find = routeTable(routes);
  return {
    before({ event: call }) {
      const request: HttpRequest & { readonly invalid?: LinkspanError } = call.request;
      if (request.invalid) throw request.invalid;
      if (call.preflight !== undefined) return;
      const { route, params } = withDoubleSlashes(request, () => find(request.method, request.path));
      Object.assign(request, { params });
      request.logContext.route = route.name;
      call.route = route;
    },
  };
}

/** What stands in place of an element in paths of the connections function. */
const NO_ELEMENT = "oauthProxies";

/**
 * API Gateway chooses the function by the path as it was sent, so a path with double slashes may reach a function that lacks
 * its route. The redirect leads to the function that has it; 307 keeps method and body (RFC 9110 section 15.4.8), and clients
 * older than 308 follow it (ADR 0036).
 */
function withDoubleSlashes<T extends Pick<HttpRequest, "params">>(request: HttpRequest, find: () => T): T {
  if (request.hasDoubleSlashes !== true) return find();
  try {
    const found = find();
    if (found.params.keyOrId !== NO_ELEMENT) return found;
  } catch (error) {
    if (!mayBeElsewhere(error, request)) throw error;
  }
  const { path, baseUrl, queryPairs = [] } = request;
  const query = new URLSearchParams(queryPairs.map(([name, value]): [string, string] => [name, value]));
  throw new LinkspanError(307, "double_slashes", "the path has double slashes: send it with single ones", {
    headers: {
      Location: `${baseUrl}${path}${query.size === 0 ? "" : `?${query}`}`,
      // The mark of all our own answers below /proxy, whichever function sends them.
      ...(path.startsWith("/proxy/") ? { "Elements-Error-Source": "linkspan" } : {}),
    },
  });
}

function mayBeElsewhere(error: unknown, { path }: HttpRequest): boolean {
  if (!(error instanceof LinkspanError)) return false;
  const isNoElement = path.startsWith(`/elements/${NO_ELEMENT}`);
  return error.code === "unknown_path" || (error.code === "method_not_allowed" && isNoElement);
}
