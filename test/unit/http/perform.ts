import type { Route } from "../../../functions/http/contract.ts";
import type { Call, MiddyRequest } from "../../../functions/http/middleware/call.ts";
import { findRoute } from "../../../functions/http/middleware/find-route.ts";
import { readInput } from "../../../functions/http/middleware/read-input.ts";
import { whoCalls } from "../../../functions/http/middleware/who-calls.ts";
import type { HttpRequest, HttpResponse } from "../../../functions/http/request.ts";

/** Runs a call as httpFunction does, up to the handler's answer or error. */
export async function perform(routes: readonly Route[], request: HttpRequest): Promise<HttpResponse> {
  const call: Call = { request, startedAt: 0, pending: [] };
  const middy = { event: call } as MiddyRequest;
  for (const { before } of [findRoute(routes), whoCalls(), readInput()]) await before?.(middy);
  return await (call.route as Route).handle(request, { ...call.input, caller: call.caller } as never);
}
