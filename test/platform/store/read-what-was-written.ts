import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { TriedStore } from "./level-store.ts";

const KEYS = 4_000;
const VALUE_BYTES = 1_500;
const WRITERS = 20;
const HELD_MS = 500;

export interface Seen {
  /** How often a key was read, compared with the last write, and written or deleted. */
  rounds: number;
  /** Reads that did not return the last written value. */
  stale: number;
  /** Iterators that were open for half a second while the writers wrote. */
  iterators: number;
  /** Iterators that returned a key twice or out of order. */
  wrongIterators: number;
}

/**
 * Twenty writers, each with its own keys: a writer must read what it wrote last. Meanwhile one iterator after the other is
 * kept open, as a slow query would do.
 * @param isEnough returns true to end the run early
 */
export async function readWhatWasWritten(
  store: TriedStore,
  milliseconds: number,
  isEnough: (seen: Seen) => boolean = () => false,
): Promise<Seen> {
  const seen: Seen = { rounds: 0, stale: 0, iterators: 0, wrongIterators: 0 };
  const until = performance.now() + milliseconds;
  const goesOn = (): boolean => performance.now() < until && !isEnough(seen);
  const filler = randomBytes(VALUE_BYTES).toString("base64url").slice(0, VALUE_BYTES);
  const written = new Map<string, number>();
  let last = 0;
  const call = <Value>(act: (done: (error: Error | null, value?: unknown) => void) => void): Promise<Value> =>
    new Promise((resolve, reject) =>
      act((error, value) => (error ? reject(error) : resolve(value as Value))),
    );

  async function write(writer: number): Promise<void> {
    const keys = Array.from({ length: KEYS / WRITERS }, (_, index) => keyOf(index * WRITERS + writer));
    while (goesOn()) {
      const key = keys[Math.floor(Math.random() * keys.length)] as string;
      const value = await call<{ number: number } | undefined>((done) => store.get(key, done));
      seen.rounds += 1;
      if (value?.number !== written.get(key)) seen.stale += 1;
      if (Math.random() < 0.2) {
        await call((done) => store.del(key, done));
        written.delete(key);
      } else {
        last += 1;
        const next = { key, number: last, filler };
        await call((done) => store.put(key, next, done));
        written.set(key, next.number);
      }
      // Without this pause a store that answers at once would not let the other writers run.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function holdIterators(): Promise<void> {
    while (goesOn()) {
      const keys: string[] = [];
      for await (const value of store.createValueStream({ gte: "key-", lt: "key-~" })) {
        if (keys.length === 0) await pause(HELD_MS);
        keys.push((value as { key: string }).key);
      }
      seen.iterators += 1;
      if (keys.some((key, index) => index > 0 && key <= (keys[index - 1] as string)))
        seen.wrongIterators += 1;
    }
  }

  await Promise.all([...Array.from({ length: WRITERS }, (_, writer) => write(writer)), holdIterators()]);
  return seen;
}

const keyOf = (number: number): string => `key-${String(number).padStart(6, "0")}`;
