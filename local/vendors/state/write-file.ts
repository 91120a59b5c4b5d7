import { closeSync, openSync, renameSync, writeFileSync } from "node:fs";

/**
 * Writes a new file and renames it: if the process is killed in between, the old file stays unchanged, and
 * there is never half a file.
 */
export function writeWholeFile(file: string, pieces: Iterable<string | Uint8Array>): void {
  const descriptor = openSync(`${file}.new`, "w", 0o600);
  try {
    for (const piece of pieces) writeFileSync(descriptor, piece);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${file}.new`, file);
}
