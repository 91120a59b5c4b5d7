import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Nothing of these starts a process or waits. */
const quick = [
  "test/unit/**/*.test.ts",
  "test/grant/*.test.ts",
  "test/threats/*.test.ts",
  "test/openapi/*.test.ts",
];

/** These wait for real time to pass. They begin first, so that nothing waits for them at the end. */
const longest = ["grant/slow-vendor", "grant/outages", "grant/rescue", "conformance/"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => longest.some((name) => moduleId.includes(name));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    reporters: ["default", "./test/summary-reporter.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // For two cores: end-to-end files start processes of their own, and wait for a good part of their time.
    maxWorkers: 3,
    // Test files share workers and what is loaded there: none leaves anything behind.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { name: "quick", include: quick, pool: "threads" },
      },
      {
        extends: true,
        test: {
          name: "whole",
          include: ["test/**/*.test.ts"],
          exclude: quick,
          globalSetup: ["./test/assemblies.ts"],
          setupFiles: ["./test/openapi/check-answers.ts"],
          pool: "forks",
        },
      },
    ],
  },
});
