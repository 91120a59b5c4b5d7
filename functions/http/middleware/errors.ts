import { LinkspanError } from "../../core/errors.ts";
import { answerError } from "../answer-errors.ts";
import { logUnexpected } from "../log-unexpected.ts";
import type { Middleware } from "./call.ts";

/** Answers errors in Linkspan's shape; one that nobody meant is logged, and tells the caller nothing but its requestId. */
export function errors(): Middleware {
  return {
    onError(middy) {
      const { request } = middy.event;
      if (!(middy.error instanceof LinkspanError)) logUnexpected(middy.error, request);
      middy.response = answerError(middy.error, request);
    },
  };
}
