import { LinkspanError } from "../errors.ts";
import { VendorUnreachable } from "../vendor-http.ts";
import type { HubContext } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";

/** Waits before each look for what an unanswered request may have done. */
const LOOKS_MS = [0, 1_000, 3_000] as const;

/** Whether the vendor may have done what it was asked, though the call failed: the answer was lost or is the server's error. */
export function isUnclear(error: unknown): boolean {
  if (error instanceof VendorUnreachable) return error.sent;
  return error instanceof LinkspanError && error.status >= 500;
}

/** Looks a few times for an item that a request without an answer may have made. @returns undefined: it is not there */
export async function lookFor(hub: HubContext, path: string): Promise<DocumentsItem | undefined> {
  for (const waitMs of LOOKS_MS) {
    if (hub.remainingMs() < waitMs + 2_000) return undefined;
    if (waitMs > 0) await hub.sleep(waitMs);
    const there = await lookAt(hub, path);
    if (there !== undefined) return there;
  }
  return undefined;
}

/** The item at a path now. @returns undefined: there is none, or nobody can say */
export async function lookAt(hub: HubContext, path: string): Promise<DocumentsItem | undefined> {
  try {
    return await hub.paths.item({ path });
  } catch {
    return undefined;
  }
}

/** Whether an item is certainly gone. */
export async function isGone({ vendor, call }: HubContext, { reference }: DocumentsItem): Promise<boolean> {
  try {
    await vendor.get(call, reference);
    return false;
  } catch (error) {
    return error instanceof LinkspanError && error.status === 404;
  }
}

/** Whether two readings show one item: by the id that survives a move. */
export function isSameItem(one: DocumentsItem, other: DocumentsItem): boolean {
  return (one.refId ?? one.id) === (other.refId ?? other.id);
}
