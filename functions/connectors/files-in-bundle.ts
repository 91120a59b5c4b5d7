import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { CatalogueEntry } from "./catalogue-entry.ts";
import type { Connector } from "./define-connector.ts";
import type { TokenHooks } from "./token-hooks.ts";

// The module `#connector-files` in a bundle. It reads files that bin/bundle.ts writes next to the bundle.
// Reading a file takes 0.1 to 0.4 ms, once per process, and a function reads only the connectors that it
// uses.

/** @returns undefined: there is no connector with this key */
export function readConnector(key: string): Connector | undefined {
  try {
    return JSON.parse(readFileSync(new URL(`connectors/${key}.json`, import.meta.url), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export async function readIndex(): Promise<readonly CatalogueEntry[]> {
  return JSON.parse(await readFile(new URL("connectors.json", import.meta.url), "utf8"));
}

/** @throws {Error} there is no such file */
export async function readHooks(name: string): Promise<TokenHooks> {
  return await import(new URL(`hooks/${name}.mjs`, import.meta.url).href);
}
