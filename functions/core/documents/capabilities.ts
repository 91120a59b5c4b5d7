import { type HubCall, hubCalls, isSupported } from "./calls.ts";
import type { DocumentsVendor } from "./vendor.ts";

/** Names of the methods that a vendor implements. Its capabilities are derived from these names alone. */
export type DocumentsMethods = readonly string[];

export interface DocumentsCapabilities {
  /** `GET /files/metadata`, …: the calls that this connector supports. */
  readonly supportedMethods: readonly string[];
  /** The calls that this connector answers with 501. */
  readonly unsupportedMethods: readonly string[];
  /** The details that a file may have besides its content: what the vendor does not keep, Linkspan keeps. */
  readonly fileDetails: { readonly description: boolean; readonly tags: boolean };
  readonly search: boolean;
}

export function methodsOf(vendor: DocumentsVendor): DocumentsMethods {
  return Object.entries(vendor).flatMap(([name, value]) => (typeof value === "function" ? [name] : []));
}

/** The capabilities of a vendor with these methods, for the catalogue's metadata. */
export function documentsCapabilities(methods: DocumentsMethods): DocumentsCapabilities {
  const has = (method: string): boolean => methods.includes(method);
  const names = (calls: readonly HubCall[]): string[] => calls.map(({ method, path }) => `${method} ${path}`);
  return {
    supportedMethods: names(hubCalls.filter((call) => isSupported(call, has))),
    unsupportedMethods: names(hubCalls.filter((call) => !isSupported(call, has))),
    fileDetails: { description: true, tags: true },
    search: true,
  };
}
