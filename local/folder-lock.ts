import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * Locks a data folder, so that two platforms never write the same tables. Takes over the lock of a process
 * that no longer runs.
 * @returns a function that removes the lock
 * @throws {Error} another platform runs on this folder
 */
export function lockFolder(folder: string): () => void {
  const file = path.join(folder, "platform.pid");
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx", mode: 0o600 });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const owner = Number(readFileSync(file, "utf8"));
      if (isRunning(owner)) {
        throw new Error(
          `another Linkspan (process ${owner}) uses ${folder}; stop it, or choose another folder: LINKSPAN_DATA=… npm start (if process ${owner} is not Linkspan, delete ${file})`,
        );
      }
      rmSync(file, { force: true });
    }
  }
  throw new Error(`the lock ${file} cannot be taken`);
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
