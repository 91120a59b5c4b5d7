import type { Command } from "commander";

type Row = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** Prints one row: as `name: value` lines, or as JSON. */
export function printOne(command: Command, row: Row): void {
  if (asJson(command)) {
    console.log(JSON.stringify(row, undefined, 2));
    return;
  }
  const width = Math.max(...Object.keys(row).map((name) => name.length));
  for (const [name, value] of Object.entries(row)) {
    if (value !== undefined) console.log(`${`${name}:`.padEnd(width + 2)}${shown(value)}`);
  }
}

/** Prints many rows of one kind: in columns, or as JSON. */
export function printMany(command: Command, rows: readonly Row[]): void {
  if (asJson(command)) {
    console.log(JSON.stringify(rows, undefined, 2));
    return;
  }
  if (rows.length === 0) {
    console.log("none");
    return;
  }
  const names = Object.keys(rows[0] ?? {});
  const lines = [names, ...rows.map((row) => names.map((name) => shown(row[name])))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const line of lines) {
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
}

/** Warns that a secret is printed only once. Writes to stderr, so that the output of `--json` stays JSON. */
export function warnOnce(): void {
  console.error("Save the secret now: it is shown only once, and only its hash is stored.");
}

/** Replaces control characters, which a terminal would interpret: names come from users. */
function shown(value: Row[string]): string {
  const text = Array.isArray(value) ? value.join(" ") : String(value ?? "");
  return text.replace(/\p{Cc}/gu, "?");
}

function asJson(command: Command): boolean {
  return command.optsWithGlobals<{ json?: boolean }>().json === true;
}

export const isoTime = (epochMs: number): string => new Date(epochMs).toISOString();
