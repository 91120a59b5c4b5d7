import { createHash } from "node:crypto";

/**
 * Identifies a sign-in, and orders it among others as a string: the store time at which its state was consumed,
 * and the state's hash. Of two sign-ins of one instance the later one wins, even if it is written first.
 */
export function epochOf(consumedAt: number, stateHash: string): string {
  return `${String(Math.max(0, Math.floor(consumedAt))).padStart(15, "0")}-${stateHash}`;
}

/** Returns the epoch of the same sign-in with time 0, so that it comes before all others. */
export function epochBeforeAll(epoch: string): string {
  return epochOf(0, epoch.slice(epoch.indexOf("-") + 1));
}

/** Hash for sign-ins without a Linkspan state: the code is hashed instead of the state. */
export function hashOf(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}

/**
 * Returns an epoch later than `seen`, which is the instance's epoch when the user started. The store's clock
 * has whole seconds and may differ by a second between two processes.
 */
export function epochAfter(seen: string, epoch: string): string {
  if (epoch > seen) return epoch;
  const [time = "0"] = seen.split("-", 1);
  return epochOf(Number(time) + 1, epoch.slice(epoch.indexOf("-") + 1));
}
