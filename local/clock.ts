/**
 * The platform's clock: the front door writes its time into the `Date` header of every AWS answer, and the
 * stand-ins use it. Tests move it forward instead of sleeping.
 */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Moves the time forward, for all processes of the platform at once. */
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
