import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import type { CatalogueEntry } from "./catalogue-entry.ts";
import type { Connector } from "./define-connector.ts";
import { makeIndex } from "./make-index.ts";
import type { TokenHooks } from "./token-hooks.ts";

// The module `#connector-files` outside of bundles: in tests, in the operator's commands, and in the build.
// In a bundle, it is files-in-bundle.ts.

const folder = new URL("vendors/", import.meta.url);
/** Node loads TypeScript by `require`, too, so that reading a connector is synchronous. */
const load = createRequire(import.meta.url);

/** @returns undefined: there is no connector with this key */
export function readConnector(key: string): Connector | undefined {
  return connectorKeys().includes(key) ? load(`./vendors/${key}.ts`).default : undefined;
}

export function readIndex(): Promise<readonly CatalogueEntry[]> {
  return makeIndex(allConnectors());
}

/** @throws {Error} there is no such file */
export async function readHooks(name: string): Promise<TokenHooks> {
  return await import(new URL(`hooks/${name}.ts`, import.meta.url).href);
}

/** All connectors of the folder `vendors`, sorted by key. */
export function allConnectors(): Connector[] {
  return connectorKeys().map((key) => load(`./vendors/${key}.ts`).default);
}

function connectorKeys(): string[] {
  return readdirSync(folder)
    .map((file) => file.replace(/\.ts$/, ""))
    .sort();
}
