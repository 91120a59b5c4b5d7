import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = new URL("../../", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "linkspan-catalogue-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MORE = 150;
/** The functions that read connectors. */
const functions = ["authorization", "connections", "documents", "proxy", "worker"];
const few = (name: string) => join(folder, "few", name);
const many = (name: string) => join(folder, "many", name);

beforeAll(async () => {
  const catalogue = join(folder, "catalogue.ts");
  const dropbox = new URL("../../functions/connectors/vendors/dropbox.ts", import.meta.url);
  // As large as Dropbox's connector, which is the largest.
  writeFileSync(
    catalogue,
    `import dropbox from ${JSON.stringify(dropbox.href)};
export const connectors = Array.from({ length: ${MORE} }, (_, n) => ({ ...dropbox, key: "synthetic" + n, id: 50_000 + n }));
`,
  );
  const bundle = (name: string, into: string, ...options: string[]) =>
    run(process.execPath, ["bin/bundle.ts", `functions/${name}/handler.ts`, into, ...options], {
      cwd: root,
      timeout: 60_000,
    });
  for (const name of functions)
    await Promise.all([bundle(name, few(name)), bundle(name, many(name), "--catalogue", catalogue)]);
}, 180_000);

const scripts = (of: string) => readdirSync(of).filter((file) => file.endsWith(".mjs"));

function bytesOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, file) => sum + bytesOf(join(path, file)), 0);
}

interface Started {
  readonly heapBytes: number;
  readonly opened: readonly string[];
}

/** The heap of a process after the import of a bundle, and the files that it opened apart from modules. */
async function started(of: string): Promise<Started> {
  const script = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const opened = [];
    for (const name of ["readFileSync", "readFile", "openSync", "open"]) {
      const own = fs[name];
      fs[name] = (path, ...rest) => { opened.push(String(path)); return own(path, ...rest); };
    }
    const own = fs.promises.readFile;
    fs.promises.readFile = (path, ...rest) => { opened.push(String(path)); return own(path, ...rest); };
    syncBuiltinESMExports();
    // Lambda's runtime has it: https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
    globalThis.awslambda = { streamifyResponse: (handler) => handler };
    await import(${JSON.stringify(join(of, "index.mjs"))});
    gc();
    console.log(JSON.stringify({ heapBytes: process.memoryUsage().heapUsed, opened }));`;
  const { stdout } = await run(process.execPath, ["--expose-gc", "--input-type=module", "-e", script], {
    timeout: 30_000,
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

describe.each(functions)(`with ${MORE} more connectors, %s`, (name) => {
  it("has the same code, byte for byte", () => {
    expect(scripts(many(name))).toEqual(scripts(few(name)));
    for (const file of scripts(few(name)))
      expect(readFileSync(join(many(name), file), "utf8"), file).toBe(
        readFileSync(join(few(name), file), "utf8"),
      );
  });

  it("reads no connector and no index at its start, and uses as much memory as before", async () => {
    const runs: (readonly [Started, Started])[] = [];
    // Runs take turns, and the smallest value of each counts, because a process's heap varies a little between starts.
    for (let turn = 0; turn < 3; turn++)
      runs.push([await started(few(name)), await started(many(name))] as const);
    for (const [, { opened }] of runs)
      expect(opened.filter((path) => path.includes("connectors"))).toEqual([]);
    const [before, after] = [0, 1].map((at) => Math.min(...runs.map((each) => each[at]?.heapBytes ?? 0)));
    expect((after ?? 0) / (before ?? 1)).toBeGreaterThan(0.95);
    expect((after ?? 0) / (before ?? 1)).toBeLessThan(1.05);
  });

  it("grows by less than 3.5 KB per connector", () => {
    expect(readdirSync(join(many(name), "connectors")).length).toBeGreaterThanOrEqual(MORE);
    expect((bytesOf(many(name)) - bytesOf(few(name))) / MORE).toBeLessThan(3_500);
  });
});
