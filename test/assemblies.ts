import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const ROOT = join(import.meta.dirname, "..");
const SOURCES = ["bin", "lib", "functions", "cdk.json", "package.json"];
const CATALOGUE = "test/vendor-kinds/catalogue.ts";

/** The same stacks, with bundles that also contain the tests' own vendors. */
export const assemblyForTests = join(ROOT, "cdk.out.tests");

/** Synthesizes the stacks that the tests run, when they are missing or older than the code. */
export default async function setup(): Promise<void> {
  await synthesize(join(ROOT, "cdk.out"), SOURCES, []);
  await synthesize(
    assemblyForTests,
    [...SOURCES, "test/vendor-kinds"],
    ["--output", assemblyForTests, "--context", `catalogue=${CATALOGUE}`],
  );
}

async function synthesize(
  folder: string,
  sources: readonly string[],
  options: readonly string[],
): Promise<void> {
  const deadline = performance.now() + 180_000;
  while (newest(folder, ["manifest.json"]) <= newest(ROOT, sources)) {
    const { status, stderr } = spawnSync("npm", ["run", "--silent", "synth", "--", ...options], {
      cwd: ROOT,
      encoding: "utf8",
      timeout: 120_000,
    });
    if (status === 0) return;
    // Another process synthesizes into the same folder: its output is good enough if it is newer than the code.
    if (!stderr.includes("Another CLI") || performance.now() > deadline) throw new Error(stderr);
    await setTimeout(1000);
  }
}

/** Modification time of the newest of these files, in epoch milliseconds; 0 when there is none. */
function newest(folder: string, names: readonly string[]): number {
  let time = 0;
  for (const name of names) {
    const path = join(folder, name);
    const info = statSync(path, { throwIfNoEntry: false });
    if (info === undefined) continue;
    time = Math.max(time, info.isDirectory() ? newest(path, readdirSync(path)) : info.mtimeMs);
  }
  return time;
}
