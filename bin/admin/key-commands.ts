import type { Command } from "commander";
import { isoTime, printOne } from "./print.ts";
import { openTarget } from "./target.ts";

/**
 * `organization rotate-key` and `organization reseal`: make a new version of the data key, and retire the old
 * versions.
 */
export function addKeyCommands(organization: Command): void {
  organization
    .command("rotate-key")
    .argument("<organization>")
    .description(
      "makes a new version of the data key, for all values sealed from now on; older versions still decrypt",
    )
    .action(async (id: string, _options, command: Command) => {
      const { version, versions } = await (await openTarget(command)).rotateKey(id);
      printOne(command, { id, key: version.id, versions, created: isoTime(version.createdAt ?? 0) });
      console.error(
        "For values sealed with older versions, run organization reseal now, and again in eight days.",
      );
    });

  organization
    .command("reseal")
    .argument("<organization>")
    .description(
      "reseals all values that are sealed with an older data key, and retires the keys that are no longer used",
    )
    .action(async (id: string, _options, command: Command) => {
      const { resealed, current, broken, retired, kept } = await (await openTarget(command)).reseal(id);
      printOne(command, { id, resealed, current, broken, retired, kept: kept.map((each) => each.id) });
      for (const { id: key, why } of kept) console.error(`${key} stays: ${REASONS[why]}`);
      if (broken.length > 0) {
        console.error(
          "A broken value can be decrypted with no key: revoke the instance, or replace the app's secret.",
        );
        process.exitCode = 1;
      }
    });
}

const REASONS = {
  resting:
    "superseded less than eight days ago, so values that expire may still use it; reseal again after that time",
  in_use: "a value that could not be resealed uses it: a rescue record, or a broken value",
} as const;
