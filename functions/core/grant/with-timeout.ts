import type { GrantDeps } from "./grant-deps.ts";

/** The timeout ended the wait; the work itself may still happen. */
export class TimedOut extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`);
    this.name = "TimedOut";
  }
}

/**
 * Waits for work, but only so long. The work itself goes on.
 * @throws {TimedOut}
 */
export async function withTimeout<T>(
  deps: Pick<GrantDeps, "sleep">,
  ms: number,
  work: Promise<T>,
): Promise<T> {
  const answered = new AbortController();
  const timeout = deps.sleep(Math.max(0, ms), answered.signal).then(() => {
    throw new TimedOut(ms);
  });
  // The one that loses the race may fail later: that failure is not used.
  timeout.catch(() => {});
  work.catch(() => {});
  try {
    return await Promise.race([work, timeout]);
  } finally {
    answered.abort();
  }
}
