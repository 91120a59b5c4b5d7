import { LinkspanError } from "../errors.ts";

/** One process's count of the requests of each organization in the current minute. */
export interface TenantUse {
  /**
   * Counts one request in memory.
   * @throws {LinkspanError} 429 `tenant_limit_reached`, with `Retry-After`; such a request is not counted
   */
  admit(organizationId: string): void;
  /**
   * Adds the counted requests to the sum of all processes and reads that sum, at most every 5 s; otherwise does
   * nothing. Call it after an answer, so that no caller waits for it.
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
  /** The sum of all processes when last read, plus the requests that this process has written since. */
  sum: number;
  /** Requests of this process that are not in the sum yet. */
  unwritten: number;
  /**
   * Store time, ms. `undefined`: this process has not read the sum in this minute, so it does not know the
   * other processes' requests.
   */
  writtenAt?: number;
}

const MINUTE_MS = 60_000;
/** Least time between two writes of one process for one organization. */
const WRITE_EVERY_MS = 5_000;

/**
 * Limits the requests of one organization in a minute. The limit is approximate, and costs no call before an
 * answer: each process counts in memory, and every 5 s reads what the others have counted. So an organization
 * may exceed the limit by the requests that its processes serve in these 5 s.
 * @param now store time, epoch milliseconds
 */
export function countTenantUse(options: {
  readonly requestsPerMinute: number;
  readonly now: () => number;
  readonly add: AddToSum;
}): TenantUse {
  const { requestsPerMinute, now, add } = options;
  let minute = -1;
  /** Organizations of this minute only, so that the map does not grow without end. */
  const counted = new Map<string, Counted>();

  function ofThisMinute(at: number): Map<string, Counted> {
    const current = Math.floor(at / MINUTE_MS);
    // If the clock goes back a little, the minute stays.
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
          `your organization has made the ${requestsPerMinute} requests that it may make in a minute; try again in ${retryAfterSeconds} s`,
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
