import type { Reporter, TestCase } from "vitest/node";
import { RATE_LIMIT } from "./patient-hub.ts";

/** What a run has found. */
export interface Findings {
  same: number;
  skipped: number;
  /** Tests that pass at the stand-in and failed at the vendor, each with its reason. */
  readonly differences: string[];
  /** What could not be checked, and why. */
  readonly unchecked: string[];
}

/**
 * A reporter that prints a line for each test, and collects what the run finds.
 * @param giveUp is called when the vendor limits the rate for longer than the run waits
 */
export function findingsReporter(
  print: (line: string) => void,
  giveUp: () => void,
): { reporter: Reporter; findings: Findings } {
  const findings: Findings = { same: 0, skipped: 0, differences: [], unchecked: [] };

  function failed(name: string, errors: readonly { message: string; diff?: string }[]): void {
    const reasons = errors.map(({ message, diff }) => (diff === undefined ? message : `${message}\n${diff}`));
    const text = `${name}\n${reasons.join("\n").replaceAll(/^/gm, "    ")}`;
    const isLimit = reasons.some((reason) => reason.startsWith(RATE_LIMIT));
    (isLimit ? findings.unchecked : findings.differences).push(text);
    print(`${isLimit ? "not checked" : "differs"}: ${name}`);
    if (isLimit) giveUp();
  }

  return {
    findings,
    reporter: {
      onUserConsoleLog: ({ content }) => print(content.trimEnd()),
      onTestCaseResult(test) {
        const { state, errors = [] } = test.result();
        if (state === "failed") return failed(nameOf(test), errors);
        findings[state === "passed" ? "same" : "skipped"] += 1;
        if (state === "passed") print(`same: ${nameOf(test)}`);
      },
      // Preparations that failed: no test of the group ran.
      onTestSuiteResult(suite) {
        if (suite.errors().length > 0) failed(nameOf(suite), suite.errors());
      },
      onTestRunEnd(modules, unhandled) {
        for (const { message } of [...modules.flatMap((module) => module.errors()), ...unhandled])
          findings.unchecked.push(message);
      },
    },
  };
}

/** The name without that of the outermost group, which is the same everywhere. */
function nameOf({ fullName }: Pick<TestCase, "fullName">): string {
  return fullName.slice(fullName.indexOf(" > ") + 3);
}
