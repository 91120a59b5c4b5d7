import { Command, CommanderError } from "commander";
import { appCommand } from "./admin/app-command.ts";
import { deadLettersCommand } from "./admin/dead-letters-command.ts";
import { explain } from "./admin/explain.ts";
import { instanceCommand, revokeAllCommand } from "./admin/instance-command.ts";
import { organizationCommand } from "./admin/organization-command.ts";
import { reviveAllCommand } from "./admin/revive-commands.ts";
import { userCommand } from "./admin/user-command.ts";

/**
 * The operator's command line: tenants, their OAuth apps, their instances, and what the refresh queue put aside. The same commands work against the local
 * platform (the default) and against AWS (`--profile`, `--stack`).
 */
const program = new Command("admin")
  .description("Manages organizations, users, OAuth apps, instances and dead letters")
  .option("--profile <name>", "profile of the AWS configuration; without it, the local platform")
  .option("--region <name>", "AWS region, where the profile has none")
  .option("--stack <name>", "name of the Data stack (default: linkspan-dev-data)")
  .option("--data <folder>", "data folder of the local platform (default: $LINKSPAN_DATA or .linkspan)")
  .option("--json", "print JSON")
  .configureHelp({ showGlobalOptions: true })
  .exitOverride();

for (const command of [
  organizationCommand,
  userCommand,
  appCommand,
  instanceCommand,
  revokeAllCommand,
  reviveAllCommand,
  deadLettersCommand,
]) {
  program.addCommand(inherit(command()));
}

/** Wrong usage exits with 2, a refusal or failure with 1. */
function inherit(command: Command): Command {
  command.exitOverride();
  command.commands.forEach(inherit);
  return command;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    console.error(`error: ${explain(error)}`);
    process.exitCode = 1;
  }
}
