import middy, { type MiddlewareObj } from "@middy/core";
import type { TenantUse } from "../core/tenants/tenant-use.ts";
import type { Contract, Input, Route } from "./contract.ts";
import type { Call, Middleware } from "./middleware/call.ts";
import { errors } from "./middleware/errors.ts";
import { findRoute } from "./middleware/find-route.ts";
import { readInput } from "./middleware/read-input.ts";
import { streamAnswer } from "./middleware/stream-answer.ts";
import { whoCalls } from "./middleware/who-calls.ts";
import type { HttpResponse } from "./request.ts";
import { streamingMode } from "./streaming-mode.ts";

export interface HttpFunctionOptions {
  /** Name of the function in metrics and logs, for example `documents`. */
  readonly name: string;
  readonly routes: readonly Route[];
  /** The request limit for each organization; returns `undefined` if there is none. */
  readonly tenantUse?: () => TenantUse | undefined;
  /** Middlewares outside of the error handling: they add headers to every answer, including errors. */
  readonly outer?: readonly Middleware[];
  /** Middlewares inside of the error handling: they get errors as they are thrown. */
  readonly inner?: readonly Middleware[];
}

/**
 * Makes a Lambda handler for routes. Requests pass the middlewares in this order, answers in the opposite
 * order. Export the result itself as the module's `handler`: a wrapper would lose the mark that makes Lambda
 * stream.
 */
export function httpFunction({
  name,
  routes,
  tenantUse,
  outer = [],
  inner = [],
}: HttpFunctionOptions): unknown {
  const middlewares: readonly Middleware[] = [
    streamAnswer(name, tenantUse),
    ...outer,
    errors(),
    ...inner,
    findRoute(routes),
    whoCalls(),
    readInput(),
  ];
  return middy({ executionMode: streamingMode, timeoutEarlyInMillis: 0 })
    .use(middlewares as unknown as MiddlewareObj[])
    .handler(answer as never);
}

async function answer({ request, route, caller, input, preflight }: Call): Promise<HttpResponse> {
  if (preflight !== undefined) return preflight;
  if (route === undefined) throw new Error("the call has no route");
  return await route.handle(request, { ...(input as Omit<Input<Contract>, "caller">), caller });
}
