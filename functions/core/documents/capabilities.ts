import { type HubCall, hubCalls, isSupported } from "./calls.ts";
import type { DocumentsVendor } from "./vendor.ts";

export interface DocumentsCapabilities {
  /** `GET /files/metadata`, … : what this connector answers. */
  readonly supportedMethods: readonly string[];
  /** What it answers with 501. */
  readonly unsupportedMethods: readonly string[];
  /** What a file may carry beside its bytes. */
  readonly fileDetails: { readonly description: boolean; readonly tags: boolean };
  readonly search: boolean;
}

/** What a vendor can, read off its file in `vendors/`: nothing is said twice. For the catalogue's metadata. */
export function documentsCapabilities(vendor: DocumentsVendor): DocumentsCapabilities {
  const names = (calls: readonly HubCall[]): string[] => calls.map(({ method, path }) => `${method} ${path}`);
  const described = vendor.describe !== undefined;
  return {
    supportedMethods: names(hubCalls.filter((call) => isSupported(call, vendor))),
    unsupportedMethods: names(hubCalls.filter((call) => !isSupported(call, vendor))),
    fileDetails: { description: described, tags: described },
    search: vendor.search !== undefined,
  };
}
