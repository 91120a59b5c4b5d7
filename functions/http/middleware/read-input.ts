import { readQuery } from "../parameter.ts";
import { parseBody } from "../request-body.ts";
import type { Middleware } from "./call.ts";

/**
 * Reads the query and a JSON body, and checks them against the route's contract.
 * @throws {LinkspanError} 400, 413
 */
export function readInput(): Middleware {
  return {
    before({ event: call }) {
      const { request, route } = call;
      if (route === undefined) return;
      const body =
        route.body !== undefined && "json" in route.body ? parseBody(request, route.body.json) : undefined;
      call.input = { query: readQuery(route.query ?? {}, request.query) as never, body: body as never };
    },
  };
}
