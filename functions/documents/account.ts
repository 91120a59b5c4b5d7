import { readStorage } from "../core/documents/hub.ts";
import { json } from "../http/request.ts";
import type { HubHandle } from "./contracts.ts";

/** Makes one cheap call to the vendor, to check that the connection works. */
export const ping: HubHandle<"ping"> = async (_request, { caller: hub }) => {
  await hub.vendor.account(hub.call);
  return json({ endpoint: hub.vendor.connector, valid: true, dateTime: new Date().toISOString() });
};

export const me: HubHandle<"me"> = async (_request, { caller: hub, query }) => {
  const { raw, ...account } = await hub.vendor.account(hub.call);
  return json({ ...account, ...(query.raw ? { raw } : {}) });
};

export const storage: HubHandle<"storage"> = async (_request, { caller: hub }) =>
  json(await readStorage(hub));

/** Vendors of the hub have no custom objects; old clients ask for them. */
export const objects: HubHandle<"objects"> = async () => json([]);
