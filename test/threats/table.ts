import { readFileSync, writeFileSync } from "node:fs";
import type { Threat } from "./threat.ts";
import { threatTable } from "./threats.ts";

const DOCUMENT = new URL("../../docs/security.md", import.meta.url);
const BEGIN = "<!-- The tables are made by `npm run threats:table` from test/threats/rows. -->";
const END = "<!-- end of the tables -->";

/** docs/security.md as it should be: its text, with the tables of the present rows. */
export function documentWithTables(text: string): string {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error("docs/security.md has no place for the tables");
  const tables = threatTable.map(({ title, rows }) => `### ${title}\n${tableOf(rows)}`);
  return `${before}${BEGIN}\n\n${tables.join("\n\n")}\n\n${END}${after}`;
}

function tableOf(rows: readonly Threat[]): string {
  return [
    "| | threat | from | guard | test |",
    "|---|---|---|---|---|",
    ...rows.map(({ id, threat, from, guard, test }) =>
      [
        "",
        `\`${id}\``,
        threat,
        from.join(", "),
        `\`${guard.name}\` in [${short(guard.file)}](../${guard.file})`,
        `[${short(test.file)}](../${test.file}): *${test.name}*`,
        "",
      ]
        .map((cell) => cell.replaceAll("|", "\\|"))
        .join(" | ")
        .trim(),
    ),
  ].join("\n");
}

function short(file: string): string {
  return file.split("/").at(-1) ?? file;
}

if (import.meta.main) writeFileSync(DOCUMENT, documentWithTables(readFileSync(DOCUMENT, "utf8")));
