import type { DocumentsItem } from "./item.ts";
import type { KeptDetails } from "./kept-details.ts";
import { type PathResolver, pathResolver } from "./resolve-path.ts";
import type { DocumentsVendor } from "./vendor.ts";
import type { VendorCall } from "./vendor-call.ts";

/** What a vendor's task is for. */
export interface TaskPurpose {
  readonly did: "copy" | "delete";
  /** The copied or deleted item; a job does not keep its `raw`. */
  readonly item: DocumentsItem;
  /** The copy's path. */
  readonly path?: string;
}

export interface JobMaker {
  /** @returns the job's id */
  make(purpose: TaskPurpose, task: string): Promise<string>;
}

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
  readonly jobs?: JobMaker;
}

export function hubContext(
  vendor: DocumentsVendor,
  call: VendorCall,
  more: Pick<HubContext, "remainingMs" | "sleep" | "kept" | "jobs">,
): HubContext {
  return { vendor, call, paths: pathResolver(vendor, call), ...more };
}
