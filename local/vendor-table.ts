import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StandIn } from "./vendors/stand-in.ts";

/** A real app at a real vendor, from `vendor-accounts.json`. */
export interface VendorAccount {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly callbackUrls?: readonly string[];
}

export type VendorAccounts = Readonly<Record<string, VendorAccount>>;

/**
 * Reads the real vendor accounts from `vendor-accounts.json` in the given folders; a later folder wins.
 * Without a file there are none.
 * @throws {Error} the file is not valid; the message names the field
 */
export function readVendorAccounts(
  folders: readonly string[],
  connectors: readonly string[],
): VendorAccounts {
  const accounts: Record<string, VendorAccount> = {};
  for (const folder of folders) {
    const file = join(folder, "vendor-accounts.json");
    for (const [connector, account] of Object.entries(readJsonObject(file) ?? {})) {
      if (!connectors.includes(connector)) {
        throw new Error(`${file}: there is no connector ${connector}; there are ${connectors.join(", ")}`);
      }
      const { clientId, clientSecret } = (account ?? {}) as Partial<VendorAccount>;
      if (typeof clientId !== "string" || clientId === "")
        throw new Error(`${file}: ${connector}.clientId is missing`);
      if (typeof clientSecret !== "string" || clientSecret === "")
        throw new Error(`${file}: ${connector}.clientSecret is missing`);
      accounts[connector] = account as VendorAccount;
    }
  }
  return accounts;
}

/**
 * The server that stands in for each vendor host. A connector with a real account uses the real vendor;
 * `<data>/vendors.json` adds or replaces entries: `{"api.dropboxapi.com": "http://127.0.0.1:9000"}`.
 * @throws {Error} a value in vendors.json is not an origin
 */
export function vendorTable(
  standIns: Readonly<Record<string, StandIn>>,
  accounts: VendorAccounts,
  dataFolder: string,
): Record<string, string> {
  const table: Record<string, string> = {};
  for (const standIn of Object.values(standIns)) {
    if (accounts[standIn.connector] !== undefined) continue;
    for (const host of standIn.hosts) table[host] = standIn.origin;
  }
  const file = join(dataFolder, "vendors.json");
  for (const [host, origin] of Object.entries(readJsonObject(file) ?? {})) {
    if (typeof origin !== "string" || !/^https?:\/\/[^/?#@\s]+$/.test(origin)) {
      throw new Error(`${file}: ${host} must be an origin without a path, such as http://127.0.0.1:9000`);
    }
    table[host.toLowerCase()] = origin;
  }
  return table;
}

function readJsonObject(file: string): Record<string, unknown> | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${file} is not valid JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${file} must hold one JSON object`);
  return value as Record<string, unknown>;
}
