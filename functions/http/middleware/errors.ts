import { LinkspanError } from "../../core/errors.ts";
import { answerError } from "../answer-errors.ts";
import { logUnexpected } from "../log-unexpected.ts";
import type { Middleware } from "./call.ts";

/** Answers errors in Linkspan's shape; an unexpected one is logged, and the caller gets only its requestId. */
export function errors(): Middleware {
  return {
    onError(middy) {
      const { request } = middy.event;
      if (!(middy.error instanceof LinkspanError)) logUnexpected(middy.error, request);
      middy.response = answerError(middy.error, request);
    },
  };
}
