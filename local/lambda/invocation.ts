/** A function failed; type and message as Lambda gives them. */
export class FunctionFailure extends Error {
  readonly errorType: string;
  constructor(errorType: string, message: string) {
    super(message);
    this.name = "FunctionFailure";
    this.errorType = errorType;
  }
}

/** More callers than the function's pool and its queue take: Lambda's TooManyRequestsException. */
export class FunctionThrottled extends Error {}

/** An event of more than 6 MB: Lambda's RequestTooLargeException. */
export class EventTooLarge extends Error {}

/** What a function answered. */
export type FunctionAnswer =
  | { readonly kind: "buffered"; readonly payload: Buffer }
  | {
      readonly kind: "streamed";
      readonly contentType: string;
      /** Its end is the answer's end; it throws a `FunctionFailure` where the function broke off. Must be read or returned. */
      readonly body: AsyncIterableIterator<Buffer>;
    };

/** Reads an answer to its end for nobody, so that the function comes to its own. Never throws. */
export async function discardAnswer(answer: FunctionAnswer): Promise<void> {
  if (answer.kind === "buffered") return;
  try {
    for await (const _ of answer.body);
  } catch {
    // It broke off; nobody wanted it.
  }
}

/** One event on its way through a function. */
export interface Invocation {
  readonly requestId: string;
  readonly payload: string;
  /** The caller's trace, as `_X_AMZN_TRACE_ID` shows it. */
  readonly traceId: string;
  answer(answer: FunctionAnswer): void;
  fail(failure: Error): void;
}
