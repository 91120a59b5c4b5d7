import type { Connector } from "./define-connector.ts";
import { dropbox } from "./dropbox.ts";
import { googledrive } from "./googledrive.ts";

/** Every connector, sorted by key. Adding a vendor = one file beside this one and one line here. */
export const connectors: readonly Connector[] = [dropbox, googledrive];

const byKeyOrId = new Map(
  connectors.flatMap((connector) => [
    [connector.key, connector],
    [String(connector.id), connector],
  ]),
);

/** Finds a connector by its key or by the original catalogue's number. */
export function findConnector(keyOrId: string): Connector | undefined {
  return byKeyOrId.get(keyOrId);
}

export interface Hub {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly description: string;
}

export const hubs: readonly Hub[] = [
  { id: 4, key: "documents", name: "Documents", description: "Files and folders, one API for every vendor" },
];
