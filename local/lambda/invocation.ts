/** A function failed; type and message are those of Lambda. */
export class FunctionFailure extends Error {
  readonly errorType: string;
  constructor(errorType: string, message: string) {
    super(message);
    this.name = "FunctionFailure";
    this.errorType = errorType;
  }
}

/** The function's pool and its queue are full: Lambda's TooManyRequestsException. */
export class FunctionThrottled extends Error {}

/** An event of more than 6 MB: Lambda's RequestTooLargeException. */
export class EventTooLarge extends Error {}

/** A function's answer. */
export type FunctionAnswer =
  | { readonly kind: "buffered"; readonly payload: Buffer }
  | {
      readonly kind: "streamed";
      readonly contentType: string;
      /**
       * Ends with the answer; throws a `FunctionFailure` if the function broke off. The caller must read it
       * to its end, or call `return`.
       */
      readonly body: AsyncIterableIterator<Buffer>;
    };

/** Reads an answer to its end and drops it, so that the function can finish. Never throws. */
export async function discardAnswer(answer: FunctionAnswer): Promise<void> {
  if (answer.kind === "buffered") return;
  try {
    for await (const _ of answer.body);
  } catch {
    // The answer broke off, but no caller needs it.
  }
}

/** One event that a function handles. */
export interface Invocation {
  readonly requestId: string;
  readonly payload: string;
  /** The caller's trace, as `_X_AMZN_TRACE_ID` shows it. */
  readonly traceId: string;
  answer(answer: FunctionAnswer): void;
  fail(failure: Error): void;
}
