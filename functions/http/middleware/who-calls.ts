import type { Middleware } from "./call.ts";

/** Finds out who calls, as the route's contract wants it, before anything else of the request is read. @throws {LinkspanError} 401, 403, 404 */
export function whoCalls(): Middleware {
  return {
    async before({ event: call }) {
      call.caller = await call.route?.whoCalls?.(call.request, call.route);
    },
  };
}
