import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * One platform for each data folder: two would write the same tables. A lock that a killed process left behind is taken over.
 * @returns gives the lock back
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
          `another Linkspan (process ${owner}) uses ${folder}; stop it, or choose another folder: LINKSPAN_DATA=… npm start (if process ${owner} is something else, delete ${file})`,
        );
      }
      rmSync(file, { force: true });
    }
  }
  throw new Error(`${file} cannot be taken`);
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
