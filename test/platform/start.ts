import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { appendUseRecord } from "../../local/aws/call-log.ts";
import { type Platform, type PlatformOptions, startPlatform } from "../../local/platform.ts";

export type RunningPlatform = Platform;

/**
 * A platform of its own in a folder of its own; `close` removes both, and notes which permissions were used. It sweeps when a
 * test says so: what it counts must not hang on where in a minute it runs.
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
