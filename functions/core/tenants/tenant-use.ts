import { LinkspanError } from "../errors.ts";

/** What one process knows of the requests of each organization in the current minute. */
export interface TenantUse {
  /**
   * Counts one request in memory.
   * @throws {LinkspanError} 429 `tenant_limit_reached`, with `Retry-After`; such a request is not counted
   */
  admit(organizationId: string): void;
  /**
   * Adds what was counted to the sum of all processes and learns that sum, at most every 5 s; else does nothing. To be called
   * after an answer: no caller waits for it.
   */
  writeDown(organizationId: string): Promise<void>;
}

/**
 * Adds requests of a minute to the sum of all processes.
 * @param minute store time in minutes since 1970
 * @returns the new sum
 */
export type AddToSum = (organizationId: string, minute: number, requests: number) => Promise<number>;

interface Counted {
  /** Of all processes, as last read, with what this one has written since. */
  sum: number;
  /** In this process, not yet in the sum. */
  unwritten: number;
  /** Store time, ms. `undefined`: this process has not asked in this minute, and knows nothing of the others. */
  writtenAt?: number;
}

const MINUTE_MS = 60_000;
/** Between two writes of one process for one organization. */
const WRITE_EVERY_MS = 5_000;

/**
 * The bound on what one organization may use in a minute. It is approximate, and costs no call before an answer: each process
 * counts in memory and every 5 s learns what the others have counted. So an organization may go over it by what its
 * processes serve in these 5 s.
 * @param now store time, epoch milliseconds
 */
export function countTenantUse(options: {
  readonly requestsPerMinute: number;
  readonly now: () => number;
  readonly add: AddToSum;
}): TenantUse {
  const { requestsPerMinute, now, add } = options;
  let minute = -1;
  /** Organizations of this minute alone, so that it does not grow for ever. */
  const counted = new Map<string, Counted>();

  function ofThisMinute(at: number): Map<string, Counted> {
    const current = Math.floor(at / MINUTE_MS);
    // A clock that goes back a little stays in its minute.
    if (current > minute) {
      minute = current;
      counted.clear();
    }
    return counted;
  }

  return {
    admit(organizationId) {
      const at = now();
      const all = ofThisMinute(at);
      const own = all.get(organizationId) ?? { sum: 0, unwritten: 0 };
      if (own.sum + own.unwritten >= requestsPerMinute) {
        const retryAfterSeconds = Math.max(1, Math.ceil(((minute + 1) * MINUTE_MS - at) / 1000));
        throw new LinkspanError(
          429,
          "tenant_limit_reached",
          `your organization has made the ${requestsPerMinute} requests that this deployment allows it in a minute; try again in ${retryAfterSeconds} s`,
          {
            detail: { requestsPerMinute },
            headers: { "Retry-After": String(retryAfterSeconds) },
          },
        );
      }
      own.unwritten += 1;
      all.set(organizationId, own);
    },
    async writeDown(organizationId) {
      const at = now();
      const own = ofThisMinute(at).get(organizationId);
      if (own === undefined || own.unwritten === 0) return;
      if (own.writtenAt !== undefined && at - own.writtenAt < WRITE_EVERY_MS) return;
      own.writtenAt = at;
      const requests = own.unwritten;
      // Moved before the write, so that two answers at the same time do not both write them.
      own.sum += requests;
      own.unwritten = 0;
      try {
        own.sum = Math.max(own.sum, await add(organizationId, minute, requests));
      } catch (error) {
        own.sum -= requests;
        own.unwritten += requests;
        throw error;
      }
    },
  };
}
