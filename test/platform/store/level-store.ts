import { createRequire } from "node:module";
import type { Readable } from "node:stream";
import type { KeyRange } from "../../../local/aws/sqlite-store.ts";

type Callback = (error: Error | null, value?: unknown) => void;

/** The methods of a store that the tests call. */
export interface TriedStore {
  get(key: string, done: Callback): void;
  put(key: string, value: unknown, done: Callback): void;
  del(key: string, done: Callback): void;
  createValueStream(range?: KeyRange): Readable;
}

interface LevelStore {
  readonly db: TriedStore & { open(): Promise<void>; close(): Promise<void> };
}

const require = createRequire(import.meta.url);
const { create } = require("dynalite/db") as {
  create(options: { path: string; createTableMs: number }): LevelStore;
};

/** dynalite on LevelDB, unchanged: the local tables before they moved to SQLite. */
export async function openLevelStore(folder: string): Promise<
  LevelStore & {
    /** Runs an operation of DynamoDB with dynalite's own code. */
    perform(operation: string, data: object): Promise<unknown>;
  }
> {
  const store = create({ path: folder, createTableMs: 0 });
  await store.db.open();
  return {
    db: store.db,
    perform(operation, data) {
      const act = require(
        `dynalite/actions/${operation.charAt(0).toLowerCase()}${operation.slice(1)}.js`,
      ) as (store: LevelStore, data: object, done: Callback) => void;
      return new Promise((resolve, reject) =>
        act(store, structuredClone(data), (error, answer) => (error ? reject(error) : resolve(answer))),
      );
    },
  };
}
