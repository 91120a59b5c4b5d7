import { closeSync, openSync, renameSync, writeFileSync } from "node:fs";

/** Writes beside the file and renames: a process that is killed in between leaves the file as it was, never half of it. */
export function writeWholeFile(file: string, pieces: Iterable<string | Uint8Array>): void {
  const descriptor = openSync(`${file}.new`, "w", 0o600);
  try {
    for (const piece of pieces) writeFileSync(descriptor, piece);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${file}.new`, file);
}
