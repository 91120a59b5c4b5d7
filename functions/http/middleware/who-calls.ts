import type { Middleware } from "./call.ts";

/**
 * Finds the caller by the credentials that the route's contract takes, before query and body are read.
 * @throws {LinkspanError} 401, 403, 404
 */
export function whoCalls(): Middleware {
  return {
    async before({ event: call }) {
      call.caller = await call.route?.whoCalls?.(call.request, call.route);
    },
  };
}
