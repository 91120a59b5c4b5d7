import type { Jobs } from "./jobs.ts";
import type { KeptDetails } from "./kept-details.ts";
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
  /** Details that the vendor does not keep. Absent: they cannot be kept. */
  readonly kept?: KeptDetails;
  /** Absent: a call whose task takes too long ends with an error. */
  readonly jobs?: Jobs;
}

export function hubContext(
  vendor: DocumentsVendor,
  call: VendorCall,
  more: Pick<HubContext, "remainingMs" | "sleep" | "kept" | "jobs">,
): HubContext {
  return { vendor, call, paths: pathResolver(vendor, call), ...more };
}
