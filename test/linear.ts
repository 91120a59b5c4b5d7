import { expect } from "vitest";

/** Extra time that a busy machine may need. */
const NOISE_MS = 100;

/**
 * Expects that the time of the work grows in proportion to its input. An input four times as large may take ten times as
 * long, so that a busy machine does not fail the test. Quadratic work takes sixteen times as long, many seconds at the sizes
 * used here.
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
