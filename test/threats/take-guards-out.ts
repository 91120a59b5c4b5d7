import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Threat } from "./threat.ts";
import { threats } from "./threats.ts";

// Shows for each row of the threat table that its test fails when its guard is taken out: `npm run test:threats`, or with ids
// as arguments for some rows only. It works on a copy of the project in the folder for temporary files; the project itself is
// not changed.

const ROOT = path.join(import.meta.dirname, "../..");
/** Timeout of the test of one row, with its start. */
const PATIENCE_MS = 300_000;

/** What vitest's JSON reporter reports of each test. */
interface Report {
  readonly testResults: readonly {
    /** Path of the file. */
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** The file could not be loaded, or has no test of that name. */
  readonly problem?: string;
}

type Verdict = "fails without its guard" | `PASSES WITHOUT ITS GUARD` | `BROKEN: ${string}`;

/** Copies the project's files as they are, with uncommitted changes; installed packages are linked. */
function copyProject(): string {
  const copy = mkdtempSync(path.join(tmpdir(), "linkspan-threats-"));
  const { stdout } = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const file of new Set(stdout.split("\0"))) {
    if (file === "" || !existsSync(path.join(ROOT, file))) continue;
    mkdirSync(path.dirname(path.join(copy, file)), { recursive: true });
    cpSync(path.join(ROOT, file), path.join(copy, file), { preserveTimestamps: true });
  }
  symlinkSync(path.join(ROOT, "node_modules"), path.join(copy, "node_modules"));
  // The project's own configuration synthesizes the stacks before any test; the tests of these rows do not need that.
  writeFileSync(
    path.join(copy, "vitest.threats.config.mjs"),
    'export default { test: { include: ["test/**/*.test.ts"], pool: "forks", maxWorkers: 1, testTimeout: 60000, hookTimeout: 60000 } };\n',
  );
  return copy;
}

/** Runs the tests of some rows in the copy. */
async function runTests(copy: string, rows: readonly Threat[]): Promise<(row: Threat) => Outcome> {
  const output = path.join(copy, "report.json");
  rmSync(output, { force: true });
  const child = spawn(
    process.execPath,
    [
      path.join(copy, "node_modules/vitest/vitest.mjs"),
      "run",
      "--config",
      "vitest.threats.config.mjs",
      "--reporter=json",
      `--outputFile=${output}`,
      "--testNamePattern",
      rows.map(({ test }) => patternOf(test.name)).join("|"),
      ...new Set(rows.map(({ test }) => test.file)),
    ],
    { cwd: copy, stdio: "ignore", timeout: PATIENCE_MS * rows.length, killSignal: "SIGKILL" },
  );
  await once(child, "exit");
  const { testResults }: Report = existsSync(output)
    ? JSON.parse(readFileSync(output, "utf8"))
    : { testResults: [] };
  return ({ test }) => {
    const named = new RegExp(`^${patternOf(test.name)}$`);
    const ofFile = testResults.filter(({ name }) => name.endsWith(test.file));
    const ran = ofFile
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ title, status }) => named.test(title) && (status === "passed" || status === "failed"));
    const passed = ran.filter(({ status }) => status === "passed").length;
    if (ran.length > 0) return { passed, failed: ran.length - passed };
    const [why = ""] = ofFile.map(({ message }) => message.split("\n")[0] ?? "");
    return { passed: 0, failed: 0, problem: why === "" ? "no test of that name ran to its end" : why };
  };
}

/** A test's name as a regular expression; a placeholder of `it.each`, such as `%s`, matches any text. */
function patternOf(name: string): string {
  return name
    .split(/%[sdijfoO]|\$\w+/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("[\\s\\S]*");
}

/** @param whole the result of its test with all guards in place */
async function judge(copy: string, row: Threat, whole: Outcome): Promise<Verdict> {
  const { file } = row.guard;
  const original = readFileSync(path.join(copy, file), "utf8");
  const deps = original.split(row.takenOut.find);
  if (deps.length !== 2) return `BROKEN: ${file} holds what is to be taken out ${deps.length - 1} times`;
  if (whole.problem !== undefined) return `BROKEN: ${whole.problem}`;
  if (whole.failed > 0) return "BROKEN: the test fails with its guard, too";
  try {
    writeFileSync(path.join(copy, file), deps.join(row.takenOut.put));
    const without = (await runTests(copy, [row]))(row);
    if (without.problem !== undefined) return `BROKEN: without the guard, ${without.problem}`;
    return without.failed > 0 ? "fails without its guard" : "PASSES WITHOUT ITS GUARD";
  } finally {
    writeFileSync(path.join(copy, file), original);
  }
}

async function main(): Promise<void> {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((id) => !threats.some((row) => row.id === id));
  if (unknown.length > 0) throw new Error(`no row is called ${unknown.join(", ")}`);
  const rows = threats.filter(({ id }) => asked.length === 0 || asked.includes(id));
  const copy = copyProject();
  const end = (): void => rmSync(copy, { recursive: true, force: true, maxRetries: 3 });
  process.once("exit", end);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

  const whole = await runTests(copy, rows);
  console.log("| threat | guard | test | without the guard |\n|---|---|---|---|");
  let bad = 0;
  for (const row of rows) {
    const verdict = await judge(copy, row, whole(row));
    if (verdict !== "fails without its guard") bad += 1;
    const { guard, test } = row;
    console.log(`| ${row.id} | ${guard.file} ${guard.name} | ${test.file}: ${test.name} | ${verdict} |`);
  }
  console.log(`\n${rows.length - bad} of ${rows.length} tests fail without their guards.`);
  process.exitCode = bad === 0 ? 0 : 1;
}

await main();
