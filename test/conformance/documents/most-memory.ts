import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { RunningPlatform } from "../../platform/start.ts";

/** Memory of the largest process of the Documents function at this moment, in bytes. */
export function mostMemory(platform: RunningPlatform): number {
  return Math.max(...platform.lambda.processes("Documents").map(({ pid }) => residentBytes(pid)));
}

function residentBytes(pid: number): number {
  const status = `/proc/${pid}/status`;
  const kilobytes = existsSync(status)
    ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, "utf8"))?.[1]
    : execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" });
  return Number(kilobytes) * 1024;
}
