import type { LinkspanError } from "../../core/errors.ts";
import type { Route } from "../contract.ts";
import type { HttpRequest } from "../request.ts";
import { routeTable } from "../route-table.ts";
import type { Middleware } from "./call.ts";

/**
 * Finds the route of a call.
 * @throws {LinkspanError} 404, 405, and 400 for a path with invalid percent-encoding
 */
export function findRoute(routes: readonly Route[]): Middleware {
  const find = routeTable(routes);
  return {
    before({ event: call }) {
      const request: HttpRequest & { readonly invalid?: LinkspanError } = call.request;
      if (request.invalid) throw request.invalid;
      if (call.preflight !== undefined) return;
      const { route, params } = find(request.method, request.path);
      Object.assign(request, { params });
      request.logContext.route = route.name;
      call.route = route;
    },
  };
}
