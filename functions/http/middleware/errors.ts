import { LinkspanError } from "../../core/errors.ts";
import { answerError } from "../answer-errors.ts";
import { logUnexpected } from "../log-unexpected.ts";
import type { Middleware } from "./call.ts";

/**
 * Answers errors in Linkspan's shape. Logs an unexpected error, of which the caller gets only the requestId.
 */
export function errors(): Middleware {
  return {
    onError(middy) {
      const { request } = middy.event;
      if (!(middy.error instanceof LinkspanError)) logUnexpected(middy.error, request);
      middy.response = answerError(middy.error, request);
    },
  };
}
