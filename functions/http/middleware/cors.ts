import { corsHeaders, preflight } from "../cors.ts";
import type { HttpRequest } from "../request.ts";
import type { Middleware, MiddyRequest } from "./call.ts";

/**
 * Lets browser pages of listed origins make the calls that an instance token may make.
 * @param methods the methods that an instance token may use at a path; absent: all
 */
export function cors(methods?: (path: string) => readonly string[]): Middleware {
  return {
    before({ event: call }) {
      const answer = preflight(call.request, methods?.(call.request.path));
      if (answer !== undefined) call.preflight = answer;
    },
    ...addHeaders(corsHeaders),
  };
}

/** Adds headers to every answer, including errors. A header that the answer has already is not replaced. */
export function addHeaders(
  headersFor: (request: HttpRequest) => Readonly<Record<string, string>>,
): Middleware {
  const add = (middy: MiddyRequest): void => {
    if (middy.response === undefined) return;
    middy.response = {
      ...middy.response,
      headers: { ...headersFor(middy.event.request), ...middy.response.headers },
    };
  };
  return { after: add, onError: add };
}
