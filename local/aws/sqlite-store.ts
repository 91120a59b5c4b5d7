import { chmodSync, closeSync, openSync } from "node:fs";
import path from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Readable } from "node:stream";

/** The database's file in the folder; SQLite writes `-wal` beside it while it is open. */
export const SQLITE_FILE = "tables.sqlite";
/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;
/**
 * A range is read in pieces of this many characters. One answer of dynalite has less (1 MB), so usually one
 * piece is enough.
 */
const PIECE_CHARACTERS = 4 * 1024 * 1024;
/**
 * The log is moved into the file after this many pages of 4 KB; not more often, because each move waits for
 * the disk.
 */
const CHECKPOINT_PAGES = 4_000;

type Callback = (error: Error | null, value?: unknown) => void;

/** A range of keys, as in Level. */
export interface KeyRange {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
  /** Maximum number of entries; below 0: all. */
  readonly limit?: number;
}

/** A key-value store in one SQLite file, with the methods of Level that dynalite uses. Values are JSON. */
export interface SqliteStore {
  /** Calls `done` before it returns, as `put` and `del` do. */
  get(key: string, done: Callback): void;
  put(key: string, value: unknown, done: Callback): void;
  del(key: string, done: Callback): void;
  createValueStream(range?: KeyRange): Readable;
  /** Runs `work` in one transaction; for work that ends in the same turn of the event loop. */
  atomically<Result>(work: () => Result): Result;
  close(): void;
}

/** Another process has the database open. */
export class DatabaseInUse extends Error {}

/**
 * Opens the folder's SQLite database and locks it for this process. The lock ends with the process, however
 * the process ends. An acknowledged write survives the end of the process; a power cut may lose the last
 * writes, as with LevelDB before.
 * @throws {DatabaseInUse} another process has the database open
 */
export function openDatabase(folder: string): DatabaseSync {
  const file = path.join(folder, SQLITE_FILE);
  // SQLite would make a file that all users can read; its other files get the mode of this file.
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // With this order SQLite uses no shared memory, and the first read takes the lock.
    // https://sqlite.org/wal.html#noshm
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    // The table has row ids, so that an entry of some kilobytes is stored in one page.
    database.exec("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT");
    return database;
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new DatabaseInUse(`${file} is in use`, { cause: error });
  }
}

/** Runs `work` in one transaction. @throws the error of `work` or of the commit; then nothing is written */
function transaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // When the disk is full, SQLite has already ended the transaction.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** The store's methods on an open database. */
export function sqliteStore(database: DatabaseSync): SqliteStore {
  const select = database.prepare("SELECT value FROM entries WHERE key = ?");
  const upsert = database.prepare(
    "INSERT INTO entries (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const remove = database.prepare("DELETE FROM entries WHERE key = ?");
  const ranges = new Map<string, StatementSync>();

  function answer(done: Callback, work: () => unknown): void {
    let error: Error | null = null;
    let value: unknown;
    try {
      // dynalite checks for exactly this message: it makes a table active in a later turn, and the platform
      // may have stopped by then.
      if (!database.isOpen) throw new Error("Database is closed");
      value = work();
    } catch (failure) {
      error = failure as Error;
    }
    done(error, value);
  }

  /**
   * Reads one piece by one statement in one turn: it delays no write, and sees each write completely or not
   * at all.
   */
  function readPiece(range: KeyRange, most: number): { key: string; value: string }[] {
    const conditions: string[] = [];
    const bounds: string[] = [];
    for (const [name, comparison] of comparisons) {
      const bound = range[name];
      if (bound === undefined) continue;
      conditions.push(`key ${comparison} ?`);
      bounds.push(bound);
    }
    const sql = `SELECT key, value FROM entries ${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`} ORDER BY key ${range.reverse === true ? "DESC" : "ASC"} LIMIT ?`;
    const statement = ranges.get(sql) ?? database.prepare(sql);
    ranges.set(sql, statement);
    const piece: { key: string; value: string }[] = [];
    let characters = 0;
    for (const row of statement.iterate(...bounds, most)) {
      const entry = row as { key: string; value: string };
      piece.push(entry);
      characters += entry.value.length;
      if (characters >= PIECE_CHARACTERS) break;
    }
    return piece;
  }

  /**
   * The values of a range, each key once. A write to a key after the first piece may be seen or not, as in
   * DynamoDB.
   */
  function* values(range: KeyRange): Generator<unknown, void, undefined> {
    let left = range.limit ?? -1;
    let rest = range;
    for (;;) {
      const piece = readPiece(rest, left);
      for (const { value } of piece) yield JSON.parse(value);
      const last = piece.at(-1);
      if (left > 0) left -= piece.length;
      if (last === undefined || left === 0) return;
      rest = after(rest, last.key);
    }
  }

  return {
    get: (key, done) =>
      answer(done, () => {
        const row = select.get(key);
        return row === undefined ? undefined : JSON.parse(row.value as string);
      }),
    put: (key, value, done) => answer(done, () => void upsert.run(key, JSON.stringify(value))),
    del: (key, done) => answer(done, () => void remove.run(key)),
    createValueStream(range = {}) {
      const reading = values(range);
      return new Readable({
        objectMode: true,
        read() {
          try {
            const { done, value } = reading.next();
            this.push(done === true ? null : value);
          } catch (error) {
            this.destroy(error as Error);
          }
        },
      });
    },
    atomically: (work) => transaction(database, work),
    close: () => {
      if (database.isOpen) database.close();
    },
  };
}

const comparisons = [
  ["gt", ">"],
  ["gte", ">="],
  ["lt", "<"],
  ["lte", "<="],
] as const;

/** The rest of a range after a key. */
function after(range: KeyRange, key: string): KeyRange {
  const { gt, gte, lt, lte, ...how } = range;
  const low = gt === undefined ? { ...(gte === undefined ? {} : { gte }) } : { gt };
  const high = lt === undefined ? { ...(lte === undefined ? {} : { lte }) } : { lt };
  return range.reverse === true ? { ...how, ...low, lt: key } : { ...how, ...high, gt: key };
}
