import type { Reporter, TestModule } from "vitest/node";

/** Ends the run's output with one line that a machine can read: `N passed, N failed` (and how many were skipped). */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let [passed, failed, skipped] = [0, unhandledErrors.length, 0];
    for (const module of modules) {
      let ownFailures = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        else if (state === "failed") ownFailures += 1;
        else skipped += 1;
      }
      // A file that could not be loaded has no tests that could fail.
      failed += ownFailures > 0 ? ownFailures : module.state() === "failed" ? 1 : 0;
    }
    if (skipped > 0) process.stdout.write(`${skipped} skipped\n`);
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
  }
}
