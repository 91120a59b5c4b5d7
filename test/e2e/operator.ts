import { execFile } from "node:child_process";
import type { Platform } from "../../local/platform.ts";

export interface AdminRun<T> {
  readonly answer: T;
  /** What it says to the operator beside the answer. */
  readonly said: string;
}

/** `npm run admin -- … --json` against a running platform. @throws {Error} what it said, when it failed */
export function runAdmin<T>(platform: Platform, args: readonly string[]): Promise<AdminRun<T>> {
  return new Promise((resolve, reject) => {
    const { PATH = "" } = process.env;
    execFile(
      process.execPath,
      ["bin/admin.ts", ...args, "--json"],
      { env: { PATH, LINKSPAN_DATA: platform.dataFolder }, timeout: 60_000 },
      (error, out, said) =>
        error === null ? resolve({ answer: JSON.parse(out) as T, said }) : reject(new Error(said)),
    );
  });
}
