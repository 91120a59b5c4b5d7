import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * Locks a data folder, so that two platforms never write the same tables. Takes over the lock of a process
 * that no longer runs.
 * @returns a function that removes the lock
 * @throws {Error} another platform runs on this folder
 */
export function lockFolder(folder: string): () => void {
  const file = lockOf(folder);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx", mode: 0o600 });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      refuseLocked(folder);
      rmSync(file, { force: true });
    }
  }
  throw new Error(`the lock ${file} cannot be taken`);
}

/** Takes no lock. @throws {Error} a platform runs on this folder */
export function refuseLocked(folder: string): void {
  const file = lockOf(folder);
  if (!existsSync(file)) return;
  const owner = Number(readFileSync(file, "utf8"));
  if (!isRunning(owner)) return;
  throw new Error(
    `another Linkspan (process ${owner}) uses ${folder}; stop it, or choose another folder: LINKSPAN_DATA=… npm start (if process ${owner} is not Linkspan, delete ${file})`,
  );
}

function lockOf(folder: string): string {
  return path.join(folder, "platform.pid");
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
