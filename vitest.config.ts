import { defineConfig } from "vitest/config";

/** Nothing of these starts a process or waits. */
const quick = ["test/unit/**/*.test.ts", "test/grant/*.test.ts", "test/threats/*.test.ts"];

export default defineConfig({
  test: {
    reporters: ["default", "./test/summary-reporter.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // For two cores: end-to-end files start processes of their own, and wait for a good part of their time.
    maxWorkers: 3,
    // Test files share workers and what is loaded there: none leaves anything behind.
    isolate: false,
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
          pool: "forks",
        },
      },
    ],
  },
});
