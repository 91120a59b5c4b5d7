import type { GrantParts } from "./grant-parts.ts";

/** Our patience ended; what was asked for may still happen. */
export class PatienceEnded extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`);
    this.name = "PatienceEnded";
  }
}

/**
 * Waits for work, but only so long. The work itself goes on.
 * @throws {PatienceEnded}
 */
export async function within<T>(parts: Pick<GrantParts, "sleep">, ms: number, work: Promise<T>): Promise<T> {
  const answered = new AbortController();
  const patience = parts.sleep(Math.max(0, ms), answered.signal).then(() => {
    throw new PatienceEnded(ms);
  });
  // One of the two loses the race: its failure is nobody's.
  patience.catch(() => {});
  work.catch(() => {});
  try {
    return await Promise.race([work, patience]);
  } finally {
    answered.abort();
  }
}
