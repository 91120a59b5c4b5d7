import { type PathResolver, pathResolver } from "./resolve-path.ts";
import type { DocumentsVendor } from "./vendor.ts";
import type { VendorCall } from "./vendor-call.ts";

/** The data that the hub's operations share during one call. */
export interface HubContext {
  readonly vendor: DocumentsVendor;
  readonly call: VendorCall;
  readonly paths: PathResolver;
  remainingMs(): number;
  sleep(milliseconds: number): Promise<void>;
}

export function hubContext(
  vendor: DocumentsVendor,
  call: VendorCall,
  { remainingMs, sleep }: Pick<HubContext, "remainingMs" | "sleep">,
): HubContext {
  return { vendor, call, paths: pathResolver(vendor, call), remainingMs, sleep };
}
