import type { Context } from "aws-lambda";
import type { Contract, Input, Route } from "../contract.ts";
import type { HttpRequest, HttpResponse } from "../request.ts";

/** One call on its way through the middlewares; takes the place of API Gateway's event. */
export interface Call {
  readonly request: HttpRequest;
  readonly startedAt: number;
  /** Work that goes on after the answer. */
  readonly pending: Promise<unknown>[];
  /** Absent: no route was found, or an earlier middleware has the answer. */
  route?: Route;
  caller?: unknown;
  input?: Omit<Input<Contract>, "caller">;
  /** A browser's preflight is answered ahead of all else. */
  preflight?: HttpResponse;
}

/** What middy hands from one middleware to the next. */
export interface MiddyRequest {
  event: Call;
  readonly context: Context;
  response: HttpResponse | undefined;
  readonly error: unknown;
}

/** A middleware of ours: one idea, in a file of its own. */
export interface Middleware {
  readonly before?: (request: MiddyRequest) => Promise<void> | void;
  readonly after?: (request: MiddyRequest) => Promise<void> | void;
  readonly onError?: (request: MiddyRequest) => Promise<void> | void;
}
