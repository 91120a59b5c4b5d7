import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { ClassicLevel } from "classic-level";
import { DatabaseInUse, SQLITE_FILE } from "./sqlite-store.ts";

/**
 * How far a folder has come, in the database's `user_version`: nothing was looked for yet; all was copied, LevelDB's files are to
 * be removed; LevelDB has nothing to do here any more.
 */
const STATES = { new: 0, copied: 1, ready: 2 } as const;
/** It names the current manifest: where it is, there is a database. */
const CURRENT = "CURRENT";
/** https://github.com/google/leveldb/blob/main/doc/impl.md#files */
const LEVEL_DB_FILE = /^(?:CURRENT|LOCK|LOG(?:\.old)?|MANIFEST-\d+|\d+\.(?:ldb|sst|log|dbtmp))$/;

/**
 * Copies what an older version kept in LevelDB, as it stands there, in one transaction, and removes LevelDB's files then. After
 * a crash in the middle the next call begins again, or goes on removing. LevelDB's `get` may find an older version of an entry;
 * its iterators, which are used here, find the newest.
 * @throws {DatabaseInUse} an older version has it open
 * @throws {Error} it cannot be read, or an older version has used the folder since
 */
export async function takeOverLevelDb(folder: string, database: DatabaseSync): Promise<void> {
  const state = database.prepare("PRAGMA user_version").get()?.user_version;
  const isThere = existsSync(path.join(folder, CURRENT));
  if (state === STATES.ready) {
    if (!isThere) return;
    throw new Error(
      `an older version of Linkspan has used this folder since its tables moved to ${SQLITE_FILE}; delete ${SQLITE_FILE} to go on with what that version wrote, or ${CURRENT} to go on with what this one wrote`,
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
      `the tables that an older version kept there cannot be read (${cause?.message ?? error}); move the folder away to begin anew`,
      { cause: error },
    );
  }
  try {
    const insert = database.prepare("INSERT INTO entries (key, value) VALUES (?, ?)");
    database.exec("BEGIN IMMEDIATE");
    for await (const [key, value] of level.iterator()) insert.run(key, value);
    database.exec(`PRAGMA user_version = ${STATES.copied}; COMMIT`);
    // On disk, too, before the files that it came from go.
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    await level.close();
  }
}

function removeLevelDb(folder: string): void {
  for (const name of readdirSync(folder)) if (LEVEL_DB_FILE.test(name)) rmSync(path.join(folder, name));
}
