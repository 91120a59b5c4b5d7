import { createHash } from "node:crypto";

/**
 * Names a sign-in, and orders it among others as a string: the store time at which its state was consumed, and the
 * state's hash. Of two sign-ins of one instance the later one wins, whichever is written first.
 */
export function epochOf(consumedAt: number, stateHash: string): string {
  return `${String(Math.max(0, Math.floor(consumedAt))).padStart(15, "0")}-${stateHash}`;
}

/** Names the same sign-in where it must never win over any. */
export function epochBeforeAll(epoch: string): string {
  return epochOf(0, epoch.slice(epoch.indexOf("-") + 1));
}

/** For sign-ins without a state of ours: the code takes its place. */
export function hashOf(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}

/**
 * Puts a sign-in after one that was seen before its state was consumed: the store's clock has whole seconds, and differs by
 * as much between two processes.
 */
export function epochAfter(seen: string, epoch: string): string {
  if (epoch > seen) return epoch;
  const [time = "0"] = seen.split("-", 1);
  return epochOf(Number(time) + 1, epoch.slice(epoch.indexOf("-") + 1));
}
