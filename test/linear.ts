import { expect } from "vitest";

/** What a busy machine may add. */
const NOISE_MS = 100;

/**
 * Expects work whose time grows with its input and no faster: four times the input may take ten times as long, so that a busy
 * machine is no failure; quadratic work takes sixteen times, and at the sizes used here many seconds.
 * @param run the work on an input of this size
 */
export function expectLinear(run: (size: number) => unknown, size: number): void {
  run(size / 10);
  const small = fastest(() => run(size));
  const large = fastest(() => run(size * 4));
  expect(large, `${size}: ${small} ms, ${size * 4}: ${large} ms`).toBeLessThan(small * 10 + NOISE_MS);
}

function fastest(run: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 3; turn++) {
    const begunAt = performance.now();
    run();
    best = Math.min(best, performance.now() - begunAt);
  }
  return best;
}
