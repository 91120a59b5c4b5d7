import { readConnector, readHooks, readIndex } from "#connector-files";
import { readOnce } from "../core/read-once.ts";
import type { CatalogueEntry } from "./catalogue-entry.ts";
import type { Connector } from "./define-connector.ts";
import type { TokenHooks } from "./token-hooks.ts";

// A connector is loaded when it is first asked for; what lists need is in one index. So 150 connectors cost a function what one
// does (docs/adr/0032-lazy-connectors.md).

const loaded = new Map<string, Connector>();

/** The connector of a key that we stored ourselves. @returns undefined: this version has none of that key */
export function connectorByKey(key: string): Connector | undefined {
  if (!/^[a-z][a-z0-9]*$/.test(key)) return undefined;
  const found = loaded.get(key) ?? readConnector(key);
  if (found !== undefined) loaded.set(key, found);
  return found;
}

/** Every connector, sorted by key, as lists show it. */
export const catalogueEntries: () => Promise<readonly CatalogueEntry[]> = readOnce(readIndex);

/** Finds an entry by what a caller wrote: its key, or the original catalogue's number. */
export async function findEntry(keyOrId: string): Promise<CatalogueEntry | undefined> {
  return (await catalogueEntries()).find(({ key, id }) => key === keyOrId || String(id) === keyOrId);
}

/** Finds a connector by what a caller wrote: its key, or the original catalogue's number. */
export async function findConnector(keyOrId: string): Promise<Connector | undefined> {
  const entry = await findEntry(keyOrId);
  return entry && connectorByKey(entry.key);
}

/** The hooks of a connector (`oauth2.hooks`). */
export function hooksOf({ oauth2: { hooks } }: Connector): Promise<TokenHooks> {
  return hooks === undefined ? NO_HOOKS : readHooks(hooks);
}
const NO_HOOKS: Promise<TokenHooks> = Promise.resolve({});

export interface Hub {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly description: string;
}

export const hubs: readonly Hub[] = [
  { id: 4, key: "documents", name: "Documents", description: "Files and folders, one API for every vendor" },
];
