import { readStorage } from "../core/documents/hub.ts";
import { type HttpRequest, type HttpResponse, json } from "../http/request.ts";
import type { OpenHub } from "./open-hub.ts";
import { flag } from "./request-parameters.ts";

/** One cheap call to the vendor: the connection works. */
export async function ping(_request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  await hub.vendor.account(hub.call);
  return json({ endpoint: hub.vendor.connector, valid: true, dateTime: new Date().toISOString() });
}

export async function me(request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  const { raw, ...account } = await hub.vendor.account(hub.call);
  return json({ ...account, ...(flag(request, "raw") ? { raw } : {}) });
}

export async function storage(_request: HttpRequest, hub: OpenHub): Promise<HttpResponse> {
  return json(await readStorage(hub));
}
