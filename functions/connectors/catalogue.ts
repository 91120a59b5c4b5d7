import { readConnector, readHooks, readIndex } from "#connector-files";
import { readOnce } from "../core/read-once.ts";
import type { CatalogueEntry } from "./catalogue-entry.ts";
import type { Connector } from "./define-connector.ts";
import type { TokenHooks } from "./token-hooks.ts";

// A connector is loaded at its first use; the data for lists is in one index. So 150 connectors cost a
// function as much as one connector (docs/adr/0032-lazy-connectors.md).

const loaded = new Map<string, Connector>();

/** The connector with a stored key. @returns undefined: this version has no connector with that key */
export function connectorByKey(key: string): Connector | undefined {
  if (!/^[a-z][a-z0-9]*$/.test(key)) return undefined;
  const found = loaded.get(key) ?? readConnector(key);
  if (found !== undefined) loaded.set(key, found);
  return found;
}

/** The catalogue entries of all connectors, sorted by key. */
export const catalogueEntries: () => Promise<readonly CatalogueEntry[]> = readOnce(readIndex);

/** Finds an entry by a caller's text: the connector's key, one of its aliases, or its number in the original catalogue. */
export async function findEntry(keyOrId: string): Promise<CatalogueEntry | undefined> {
  return (await catalogueEntries()).find(
    ({ key, id, aliases }) =>
      key === keyOrId || String(id) === keyOrId || aliases?.includes(keyOrId) === true,
  );
}

/** Finds a connector by a caller's text, as `findEntry`. */
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
