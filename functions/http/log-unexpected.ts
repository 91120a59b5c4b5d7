import type { HttpRequest } from "./request.ts";

/** Logs an unexpected error. Only the log has message and stack; the caller gets only the request's id. */
export function logUnexpected(error: unknown, request: HttpRequest): void {
  console.error(
    JSON.stringify({
      level: "error",
      requestId: request.requestId,
      route: request.logContext.route,
      error:
        error instanceof Error
          ? { name: error.name, message: error.message, stack: error.stack }
          : String(error),
    }),
  );
}
