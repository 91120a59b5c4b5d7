/**
 * The platform's clock: what the front door writes into the `Date` header of every AWS answer, and what the stand-ins
 * go by. Tests move it forward; nothing sleeps.
 */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Moves time forward, for every process of the platform at once. */
  advance(ms: number): void;
}

export function systemClock(): Clock {
  let offsetMs = 0;
  return {
    now: () => Date.now() + offsetMs,
    advance(ms) {
      if (!(ms >= 0)) throw new RangeError(`cannot advance the clock by ${ms} ms`);
      offsetMs += ms;
    },
  };
}
