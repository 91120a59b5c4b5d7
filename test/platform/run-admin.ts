import { execFile } from "node:child_process";

/** `npm run admin -- <args> --json` against a running local platform, in a process of its own; what it printed. */
export async function runAdmin<T>(
  platform: { readonly dataFolder: string },
  args: readonly string[],
  input = "",
): Promise<T> {
  return new Promise((resolve, reject) => {
    const { PATH = "" } = process.env;
    const child = execFile(
      process.execPath,
      ["bin/admin.ts", ...args, "--json"],
      { env: { PATH, LINKSPAN_DATA: platform.dataFolder }, timeout: 60_000 },
      (error, out, err) => (error === null ? resolve(JSON.parse(out) as T) : reject(new Error(err))),
    );
    child.stdin?.end(input);
  });
}
