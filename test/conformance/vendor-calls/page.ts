import { readFileSync } from "node:fs";
import path from "node:path";
import { connectorByKey } from "../../../functions/connectors/catalogue.ts";
import { hubCalls, isSupported } from "../../../functions/core/documents/calls.ts";
import { methodsOf } from "../../../functions/core/documents/capabilities.ts";
import { documentsConnectors, findDocumentsVendor } from "../../../functions/core/documents/vendors/index.ts";
import { traitsOf } from "../vendors/traits-of.ts";
import { measuredCalls } from "./measured-calls.ts";

/** File with the measured numbers of a vendor: `{"files.copy, by path": 3}`. */
export const measurementsOf = (connector: string): string =>
  path.join(import.meta.dirname, "measured", `${connector}.json`);

/** Rows of the table: the key of the measurement, and the call as readers know it. */
const rows = Object.entries(measuredCalls).flatMap(([name, forms]) => {
  const { method, path: url } = hubCalls.find((call) => call.name === name) ?? { method: "", path: name };
  return Object.keys(forms).map((form) => ({
    name,
    key: keyOf(name, form),
    label: `\`${method} ${url}\`${form === "" ? "" : `, ${form}`}`,
  }));
});

export function keyOf(name: string, form: string): string {
  return form === "" ? name : `${name}, ${form}`;
}

/** Whether a vendor has what a call needs. */
export async function supports(connector: string): Promise<(name: string) => boolean> {
  const vendor = await findDocumentsVendor(connector);
  const methods = vendor === undefined ? [] : methodsOf(vendor);
  return (name) =>
    hubCalls.some((call) => call.name === name && isSupported(call, (method) => methods.includes(method)));
}

/** The text of docs/documents-vendors.md. */
export async function vendorsPage(): Promise<string> {
  const columns = await Promise.all(
    documentsConnectors.map(async (connector) => ({
      connector,
      title: connectorByKey(connector)?.name ?? connector,
      has: await supports(connector),
      measured: read(connector),
    })),
  );
  const table = rows.map(({ name, key, label }) => [
    label,
    ...columns.map(({ has, measured }) => (has(name) ? String(measured[key] ?? "not measured") : "501")),
  ]);
  const lacks = columns.flatMap(({ connector, title }) =>
    (traitsOf(connector).lacks ?? []).map(
      ({ calls, why, page }) => `- **${title}**, ${names(calls)}: ${why} ([page](${page})).`,
    ),
  );
  return `# What each call costs at each vendor

Made by \`npm run vendors:table\` from the vendors' modules and from measurements of the conformance suite; do not edit.

The number of requests to the vendor's API for one call of the Documents hub, with a token that is still valid, and \`501\` where the vendor
has no such call. Paths have three names (\`/a/b/c.txt\`), below the folder in which tests work at that vendor; folders have two files in them.
A vendor that is addressed by path, or that finds a whole path in one call, costs the same at any depth. At the others each name of the path
costs one request, and so does each folder above an item that is named by its id, because answers show its path: \`calculateFolderPath=false\`
leaves the path and these requests out.

${[["call", ...columns.map(({ title }) => title)], columns.map(() => "---").concat("---"), ...table].map((cells) => `| ${cells.join(" | ")} |`).join("\n")}

## Why a call is 501

${lacks.length === 0 ? "No vendor lacks a call." : lacks.join("\n")}
`;
}

function names(calls: readonly string[]): string {
  return calls
    .map((name) => hubCalls.find((call) => call.name === name))
    .map((call) => `\`${call?.method} ${call?.path}\``)
    .join(", ");
}

function read(connector: string): Readonly<Record<string, number>> {
  try {
    return JSON.parse(readFileSync(measurementsOf(connector), "utf8")) as Record<string, number>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
