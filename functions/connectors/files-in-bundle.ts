import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { CatalogueEntry } from "./catalogue-entry.ts";
import type { Connector } from "./define-connector.ts";
import type { TokenHooks } from "./token-hooks.ts";

// What `#connector-files` is in a bundle: files that bin/bundle.ts writes beside it. Reading one takes 0.1 to 0.4 ms,
// once a process, and a function that is asked for Dropbox never sees the others.

/** @returns undefined: there is none of that key */
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
