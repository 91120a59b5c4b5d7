import { appendFile, readFile } from "node:fs/promises";
import type { AwsCall, PolicyUse } from "./types.ts";

/** The last calls, in memory. */
export interface CallLog {
  add(call: AwsCall): void;
  /** Oldest first. */
  calls(): readonly AwsCall[];
  clear(): void;
}

const maxCalls = 10_000;

export function callLog(): CallLog {
  let calls: AwsCall[] = [];
  return {
    add(call) {
      calls.push(call);
      // The list is cut once per `maxCalls` calls, not at each call.
      if (calls.length >= maxCalls * 2) calls = calls.slice(-maxCalls);
    },
    calls: () => calls.slice(-maxCalls),
    clear() {
      calls = [];
    },
  };
}

/** What policies grant, and which of these grants a call used: for a test that lists the unused grants. */
export interface UseRecord {
  readonly granted: readonly PolicyUse[];
  readonly used: readonly PolicyUse[];
}

/** Adds a process's record to a file that several test processes write, one line each. */
export async function appendUseRecord(file: string, record: UseRecord): Promise<void> {
  await appendFile(file, `${JSON.stringify(record)}\n`);
}

/** The grants and uses of all records of the file; `unused` has the grants that no test needed. */
export async function readUseRecords(
  file: string,
): Promise<UseRecord & { readonly unused: readonly PolicyUse[] }> {
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  const records = lines.map((line) => JSON.parse(line) as UseRecord);
  const granted = distinctUses(records.flatMap((record) => record.granted));
  const used = distinctUses(records.flatMap((record) => record.used));
  const usedIds = new Set(used.map(useId));
  return { granted, used, unused: granted.filter((use) => !usedIds.has(useId(use))) };
}

export function distinctUses(uses: readonly PolicyUse[]): PolicyUse[] {
  return [...new Map(uses.map((use) => [useId(use), use])).values()];
}

export function useId(use: PolicyUse): string {
  return JSON.stringify([use.principal, use.action, use.resource]);
}
