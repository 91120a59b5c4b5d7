import type { GrantDeps } from "./grant-deps.ts";

/** The timeout ended the wait; the work itself may still happen. */
export class TimedOut extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`);
    this.name = "TimedOut";
  }
}

/**
 * Waits for work, but only for `ms`. The work itself continues.
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
  // The promise that loses the race may reject later: that rejection is ignored.
  timeout.catch(() => {});
  work.catch(() => {});
  try {
    return await Promise.race([work, timeout]);
  } finally {
    answered.abort();
  }
}
