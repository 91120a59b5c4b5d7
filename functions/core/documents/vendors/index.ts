import type { DocumentsVendor } from "../vendor.ts";

/** Loaders of the Documents hub's vendors, by connector key: a function loads only the vendors that it needs. */
const loaders: Readonly<Record<string, () => Promise<DocumentsVendor>>> = {
  box: async () => (await import("./box/box.ts")).box,
  dropbox: async () => (await import("./dropbox/dropbox.ts")).dropbox,
  dropboxbusiness: async () => (await import("./dropbox/dropboxbusiness.ts")).dropboxbusiness,
  googledrive: async () => (await import("./googledrive/googledrive.ts")).googledrive,
  sharefile: async () => (await import("./sharefile/sharefile.ts")).sharefile,
  onedrivev2: async () => (await import("./graph/onedrive.ts")).onedrivev2,
};

/** Keys of the connectors that have the Documents hub, sorted. */
export const documentsConnectors: readonly string[] = Object.keys(loaders);

export async function findDocumentsVendor(connector: string): Promise<DocumentsVendor | undefined> {
  return Object.hasOwn(loaders, connector) ? await loaders[connector]?.() : undefined;
}
