import type { Context } from "aws-lambda";
import type { Contract, Input, Route } from "../contract.ts";
import type { HttpRequest, HttpResponse } from "../request.ts";

/** One call, which the middlewares pass on in the place of API Gateway's event. */
export interface Call {
  readonly request: HttpRequest;
  readonly startedAt: number;
  /** Work that continues after the answer. */
  readonly pending: Promise<unknown>[];
  /** Absent: no route was found, or an earlier middleware has already made the answer. */
  route?: Route;
  caller?: unknown;
  input?: Omit<Input<Contract>, "caller">;
  /** The answer to a browser's preflight; if set, the call has no route and no handler. */
  preflight?: HttpResponse;
}

/** The object that middy passes from one middleware to the next. */
export interface MiddyRequest {
  event: Call;
  readonly context: Context;
  response: HttpResponse | undefined;
  readonly error: unknown;
}

/** A middleware for middy. Each middleware does one task and has its own file. */
export interface Middleware {
  readonly before?: (request: MiddyRequest) => Promise<void> | void;
  readonly after?: (request: MiddyRequest) => Promise<void> | void;
  readonly onError?: (request: MiddyRequest) => Promise<void> | void;
}
