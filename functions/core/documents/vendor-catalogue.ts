import type { DocumentsVendor } from "./vendor.ts";
import { dropbox } from "./vendors/dropbox.ts";
import { googledrive } from "./vendors/googledrive.ts";

/** Every vendor of the Documents hub, sorted by connector key. */
export const documentsVendors: readonly DocumentsVendor[] = [dropbox, googledrive];

export function findDocumentsVendor(connector: string): DocumentsVendor | undefined {
  return documentsVendors.find((vendor) => vendor.connector === connector);
}
