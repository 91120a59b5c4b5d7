import { LinkspanError } from "../errors.ts";
import { VendorUnreachable } from "../vendor-http.ts";

/** Limits of the repetitions of one call to a vendor. */
const limits = {
  tries: 3,
  /** Longest wait before a repetition; a vendor that asks for more gets no repetition. */
  maxWaitMs: 5_000,
  /** First wait if the vendor asks for none; the second is three times as long. */
  firstWaitMs: 400,
  /** Time of the invocation that must be left after a wait, for the call itself and for the answer to the caller. */
  leastLeftMs: 10_000,
} as const;

/** What decides whether a call may be repeated (`CallRequest`). */
interface Repeatable {
  readonly method: string;
  readonly repeatable?: true;
}

export interface RetryDeps {
  sleep(milliseconds: number): Promise<void>;
  /** In [0, 1). */
  random(): number;
  /** Of the invocation. */
  remainingMs(): number;
}

/**
 * Repeats a call to a vendor after a failure that may pass: a rate limit, because the vendor has refused the call, and a
 * request that was never sent; an error of the vendor's servers or a lost connection only if the call changes nothing.
 * The vendor's `Retry-After` comes first; without one, the waits grow.
 * @param call sends once; tells `asked` the wait that the vendor asks for, in milliseconds
 * @throws the last failure
 */
export async function withRetries<T>(
  deps: RetryDeps,
  request: Repeatable,
  call: (asked: (waitMs: number | undefined) => void) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    let askedMs: number | undefined;
    try {
      return await call((waitMs) => {
        askedMs = waitMs;
      });
    } catch (error) {
      if (tries === limits.tries || !mayPass(error, request)) throw error;
      const waitMs = askedMs ?? limits.firstWaitMs * 3 ** (tries - 1) * (1 + deps.random() / 2);
      if (waitMs > limits.maxWaitMs || deps.remainingMs() - waitMs < limits.leastLeftMs) throw error;
      await deps.sleep(waitMs);
    }
  }
}

function mayPass(error: unknown, { method, repeatable }: Repeatable): boolean {
  const mayBeRepeated = method === "GET" || method === "HEAD" || repeatable === true;
  if (error instanceof VendorUnreachable) return !error.sent || (mayBeRepeated && !error.timedOut);
  if (!(error instanceof LinkspanError)) return false;
  return error.code === "rate_limited" || (mayBeRepeated && error.code === "vendor_error");
}
