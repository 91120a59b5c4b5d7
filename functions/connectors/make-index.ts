import { methodsOf } from "../core/documents/capabilities.ts";
import { findDocumentsVendor } from "../core/documents/vendors/index.ts";
import { type CatalogueEntry, catalogueEntry } from "./catalogue-entry.ts";
import type { Connector } from "./define-connector.ts";

/**
 * The index of a catalogue, sorted by key. For the build, and for processes that run from source.
 * @throws {Error} two connectors have the same key or the same number
 */
export async function makeIndex(connectors: readonly Connector[]): Promise<CatalogueEntry[]> {
  const names = connectors.flatMap(({ key, id, aliases = [] }) => [key, String(id), ...aliases]);
  const twice = names.find((name, position) => names.indexOf(name) !== position);
  if (twice !== undefined) throw new Error(`two connectors are named ${twice}`);
  const entries = connectors.map(async (connector) => {
    const vendor = await findDocumentsVendor(connector.key);
    return catalogueEntry(connector, vendor && methodsOf(vendor));
  });
  return (await Promise.all(entries)).sort((one, other) => (one.key < other.key ? -1 : 1));
}
