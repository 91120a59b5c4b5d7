import { availableParallelism } from "node:os";
import synthesize from "../assemblies.ts";
import { measureRefresh, type Scenario } from "./measure-refresh.ts";
import { judge, printable, tableOf } from "./refresh-report.ts";

/**
 * `npm run bench:refresh [-- --json]`: what a scheduled refresh costs and how that grows with the number of instances. One
 * JSON line, or a table for people; progress on stderr. Exits with 1 when a target is missed; after an error it prints the
 * figures so far.
 */
const PLAN = {
  organizations: 5,
  scenarios: [
    { instances: 1_000, due: 10 },
    { instances: 1_000, due: 200 },
    { instances: 10_000, due: 100 },
    { instances: 100_000, due: 200 },
    { instances: 100_000, due: 1_000 },
  ],
} as const;

const started = performance.now();
await synthesize();
const scenarios: Scenario[] = [];
try {
  await measureRefresh({
    ...PLAN,
    progress: (line) => process.stderr.write(`${line}\n`),
    measured: (scenario) => scenarios.push(scenario),
  });
} catch (error) {
  const failed = error instanceof Error ? error.message : String(error);
  process.stdout.write(
    process.argv.includes("--json")
      ? `${JSON.stringify({ scenarios, failed })}\n`
      : `${tableOf(scenarios)}FAILED: ${failed}\n`,
  );
  process.exit(1);
}
const report = {
  ...judge(scenarios),
  organizations: PLAN.organizations,
  node: process.version,
  cpus: availableParallelism(),
  date: new Date().toISOString(),
  seconds: Math.round((performance.now() - started) / 1000),
};
process.stdout.write(process.argv.includes("--json") ? `${JSON.stringify(report)}\n` : printable(report));
process.exitCode = report.missed.length === 0 ? 0 : 1;
