import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UsageProblem } from "./target.ts";

const MAX_CHARACTERS = 10_000;

/**
 * Reads a secret from the environment, from a pipe, or from hidden keyboard input. Never from the arguments,
 * because other users of the machine can list them and shells store them.
 */
export async function readSecret(what: string, variable: string): Promise<string> {
  const given = process.env[variable] ?? (process.stdin.isTTY ? await typed(what) : await piped());
  const secret = given.trim();
  if (secret === "") throw new UsageProblem(`no ${what}: set ${variable}, or send it on standard input`);
  return secret;
}

async function piped(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MAX_CHARACTERS) throw new UsageProblem("standard input is longer than any secret");
  }
  return text;
}

async function typed(what: string): Promise<string> {
  process.stderr.write(`${what} (not shown): `);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
