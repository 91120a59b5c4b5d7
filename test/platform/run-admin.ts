import { execFile } from "node:child_process";
import path from "node:path";
import { vi } from "vitest";
import { runProgram } from "../../bin/admin/program.ts";

/** How a run of the operator's command line ended. */
export interface AdminExit {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface AdminOptions {
  /** Standard input of the command. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Cache of compiled code for processes that tests start again and again: compiling is half of what each process does. */
export const compileCache = path.resolve(import.meta.dirname, "../../node_modules/.cache/compiled");

/** `npm run admin -- <args>` against the platform of this data folder, in a separate process. */
export function admin(
  dataFolder: string,
  args: readonly string[],
  { input = "", env = {} }: AdminOptions = {},
): Promise<AdminExit> {
  return new Promise((resolve) => {
    const { PATH = "" } = process.env;
    const child = execFile(
      process.execPath,
      ["bin/admin.ts", ...args],
      {
        env: { PATH, LINKSPAN_DATA: dataFolder, NODE_COMPILE_CACHE: compileCache, ...env },
        timeout: 60_000,
      },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
    child.stdin?.end(input);
  });
}

let last: Promise<unknown> = Promise.resolve();

/**
 * The same in this process, one command after the other: much faster, for commands that read neither input nor environment.
 */
export function adminHere(dataFolder: string, args: readonly string[]): Promise<AdminExit> {
  const run = last.then(async () => {
    const [out, err]: [string[], string[]] = [[], []];
    const line = (into: string[]) => (text: unknown) => void into.push(`${text}\n`);
    const raw = (into: string[]) => (text: unknown) => into.push(String(text)) > 0;
    const spies = [
      vi.spyOn(console, "log").mockImplementation(line(out)),
      vi.spyOn(console, "error").mockImplementation(line(err)),
      vi.spyOn(process.stdout, "write").mockImplementation(raw(out)),
      vi.spyOn(process.stderr, "write").mockImplementation(raw(err)),
    ];
    try {
      const code = await runProgram(args.includes("--data") ? args : [...args, "--data", dataFolder]);
      return { code, out: out.join(""), err: err.join("") };
    } finally {
      for (const spy of spies) spy.mockRestore();
      process.exitCode = undefined;
    }
  });
  last = run.catch(() => {});
  return run;
}

/**
 * The same with `--json`.
 * @param input standard input of the command, which then runs in a separate process
 * @throws {Error} what it said, when it failed
 */
export async function runAdmin<T>(
  platform: { readonly dataFolder: string },
  args: readonly string[],
  input?: string,
): Promise<{ readonly answer: T; readonly said: string }> {
  const all = [...args, "--json"];
  const { code, out, err } = await (input === undefined
    ? adminHere(platform.dataFolder, all)
    : admin(platform.dataFolder, all, { input }));
  if (code !== 0) throw new Error(`admin ${args.join(" ")} ended with ${code}: ${err}`);
  return { answer: JSON.parse(out) as T, said: err };
}
