import { createSecretKey, type KeyObject } from "node:crypto";
import { LRUCache } from "lru-cache";

/** How long an unwrapped data key may stay in memory, in milliseconds. */
const KEY_LIFETIME_MS = 5 * 60_000;
/** Number of organizations whose key one container keeps; the least recently used is dropped first. */
const MAX_KEYS = 1000;

interface CachedKey {
  readonly key: Promise<KeyObject>;
  readonly at: number;
}

/**
 * Keeps unwrapped data keys for at most 5 minutes. Concurrent callers share one unwrap; a failed unwrap is
 * forgotten at once.
 *
 * Keys are kept in `KeyObject`s, outside of the JavaScript heap, where no other code can copy them by accident.
 * @param now epoch milliseconds: wall time, because a frozen container's monotonic clock may stand still
 */
export function keyCache(
  options: { now?: () => number; lifetimeMs?: number; maxKeys?: number } = {},
): (name: string, unwrap: () => Promise<Uint8Array>) => Promise<KeyObject> {
  const { now = Date.now, lifetimeMs = KEY_LIFETIME_MS, maxKeys = MAX_KEYS } = options;
  // Does not use LRUCache's `ttl`: it keeps a key for too long when the clock is set back.
  const keys = new LRUCache<string, CachedKey>({ max: maxKeys });

  const isFresh = (cached: CachedKey): boolean => {
    const age = now() - cached.at;
    return age >= 0 && age < lifetimeMs;
  };

  return (name, unwrap) => {
    const cached = keys.get(name);
    if (cached !== undefined && isFresh(cached)) return cached.key;
    const entry: CachedKey = { key: unwrapped(unwrap), at: now() };
    keys.set(name, entry);
    const forget = () => {
      if (keys.peek(name) === entry) keys.delete(name);
    };
    entry.key.catch(forget);
    setTimeout(forget, lifetimeMs).unref();
    return entry.key;
  };
}

async function unwrapped(unwrap: () => Promise<Uint8Array>): Promise<KeyObject> {
  const plaintext = await unwrap();
  try {
    if (plaintext.length !== 32) throw new Error("a data key must have 32 bytes");
    return createSecretKey(plaintext);
  } finally {
    plaintext.fill(0);
  }
}
