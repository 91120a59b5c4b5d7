import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { ClassicLevel } from "classic-level";
import { DatabaseInUse, SQLITE_FILE } from "./sqlite-store.ts";

/**
 * The folder's state, in the database's `user_version`. `new`: the platform has not looked for LevelDB's
 * files yet. `copied`: all entries are copied, LevelDB's files are still to be removed. `ready`: the folder
 * has no LevelDB files.
 */
const STATES = { new: 0, copied: 1, ready: 2 } as const;
/** The file that names the current manifest: a folder with this file holds a LevelDB database. */
const CURRENT = "CURRENT";
/** https://github.com/google/leveldb/blob/main/doc/impl.md#files */
const LEVEL_DB_FILE = /^(?:CURRENT|LOCK|LOG(?:\.old)?|MANIFEST-\d+|\d+\.(?:ldb|sst|log|dbtmp))$/;

/**
 * Copies the LevelDB entries of an older version unchanged, in one transaction, then removes LevelDB's
 * files. After a crash, the next call starts the copy again or continues to remove files. LevelDB's `get`
 * may find an older version of an entry; its iterators, which this function uses, find the newest.
 * @throws {DatabaseInUse} a process with an older version has the folder open
 * @throws {Error} the entries cannot be read, or an older version has used the folder after the copy
 */
export async function takeOverLevelDb(folder: string, database: DatabaseSync): Promise<void> {
  const state = database.prepare("PRAGMA user_version").get()?.user_version;
  const isThere = existsSync(path.join(folder, CURRENT));
  if (state === STATES.ready) {
    if (!isThere) return;
    throw new Error(
      `an older version of Linkspan has used this folder since its tables moved to ${SQLITE_FILE}; delete ${SQLITE_FILE} to keep the data of the older version, or ${CURRENT} to keep the data of this version`,
    );
  }
  if (state === STATES.new && isThere) await copy(folder, database);
  if (state === STATES.copied || isThere) removeLevelDb(folder);
  database.exec(`PRAGMA user_version = ${STATES.ready}`);
}

async function copy(folder: string, database: DatabaseSync): Promise<void> {
  const level = new ClassicLevel(folder, {
    createIfMissing: false,
    keyEncoding: "utf8",
    valueEncoding: "utf8",
  });
  try {
    await level.open();
  } catch (error) {
    const cause = (error as Error).cause as (Error & { code?: string }) | undefined;
    if (cause?.code === "LEVEL_LOCKED") throw new DatabaseInUse(`${folder} is in use`, { cause });
    throw new Error(
      `the tables that an older version kept there cannot be read (${cause?.message ?? error}); move the folder away to start with an empty one`,
      { cause: error },
    );
  }
  try {
    const insert = database.prepare("INSERT INTO entries (key, value) VALUES (?, ?)");
    database.exec("BEGIN IMMEDIATE");
    for await (const [key, value] of level.iterator()) insert.run(key, value);
    database.exec(`PRAGMA user_version = ${STATES.copied}; COMMIT`);
    // The copy must be on disk before LevelDB's files are removed.
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    await level.close();
  }
}

function removeLevelDb(folder: string): void {
  for (const name of readdirSync(folder)) if (LEVEL_DB_FILE.test(name)) rmSync(path.join(folder, name));
}
