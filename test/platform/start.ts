import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { appendUseRecord } from "../../local/aws/call-log.ts";
import { type Platform, type PlatformOptions, startPlatform } from "../../local/platform.ts";

export type RunningPlatform = Platform;

/**
 * A new platform in a new folder; `close` removes both, and records which permissions were used. It sweeps only when a test
 * asks for it, because what a test counts must not depend on the second at which it runs.
 */
export async function startTestPlatform(options: PlatformOptions = {}): Promise<RunningPlatform> {
  const folder = options.dataFolder ?? (await mkdtemp(path.join(tmpdir(), "linkspan-test-")));
  const platform = await startPlatform({
    schedulesFire: false,
    ...options,
    dataFolder: folder,
    accountsFolder: folder,
  });
  return {
    ...platform,
    async close() {
      const record = { granted: platform.frontDoor.grantedActions(), used: platform.frontDoor.usedActions() };
      if (process.env.LINKSPAN_USE_RECORD !== undefined)
        await appendUseRecord(process.env.LINKSPAN_USE_RECORD, record);
      await platform.close();
      if (options.dataFolder === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
