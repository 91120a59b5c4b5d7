import type { Command } from "commander";
import { isoTime, printOne } from "./print.ts";
import { openTarget } from "./target.ts";

/** `organization rotate-key` and `organization reseal`: a new version of the data key, and the end of the old ones. */
export function addKeyCommands(organization: Command): void {
  organization
    .command("rotate-key")
    .argument("<organization>")
    .description("a new version of the data key for all that is sealed from now on; older ones still open")
    .action(async (id: string, _options, command: Command) => {
      const { version, versions } = await (await openTarget(command)).rotateKey(id);
      printOne(command, { id, key: version.id, versions, created: isoTime(version.createdAt ?? 0) });
      console.error("What lies under older versions: organization reseal, now and again in eight days.");
    });

  organization
    .command("reseal")
    .argument("<organization>")
    .description("seals everything anew that lies under an older data key, and retires what nothing uses")
    .action(async (id: string, _options, command: Command) => {
      const { resealed, current, broken, retired, kept } = await (await openTarget(command)).reseal(id);
      printOne(command, { id, resealed, current, broken, retired, kept: kept.map((each) => each.id) });
      for (const { id: key, why } of kept) console.error(`${key} stays: ${REASONS[why]}`);
      if (broken.length > 0) {
        console.error(
          "What is broken opens with no key any more: revoke such an instance, replace such an app's secret.",
        );
        process.exitCode = 1;
      }
    });
}

const REASONS = {
  resting:
    "superseded less than eight days ago, so something that expires may lie under it; reseal again then",
  in_use: "something that could not be sealed anew lies under it: a rescue record, or what is broken",
} as const;
