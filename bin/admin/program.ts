import { Command, CommanderError } from "commander";
import { appCommand } from "./app-command.ts";
import { deadLettersCommand } from "./dead-letters-command.ts";
import { explain } from "./explain.ts";
import { instanceCommand, revokeAllCommand } from "./instance-command.ts";
import { organizationCommand } from "./organization-command.ts";
import { reviveAllCommand } from "./revive-commands.ts";
import { userCommand } from "./user-command.ts";

/**
 * Runs one command of the operator.
 * @param args the arguments as they were typed, without `admin`
 * @returns the exit code: 2 for wrong usage, 1 for a refusal or a failure
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  process.exitCode = 0;
  try {
    await program().parseAsync(args, { from: "user" });
    return process.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.error(`error: ${explain(error)}`);
    return 1;
  }
}

function program(): Command {
  const admin = new Command("admin")
    .description("Manages organizations, users, OAuth apps, instances and dead letters")
    .option("--profile <name>", "profile of the AWS configuration; without it, the local platform")
    .option("--region <name>", "AWS region, if the profile has none")
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
    admin.addCommand(inherit(command()));
  }
  return admin;
}

/** Makes a command and its subcommands throw usage errors instead of exiting. */
function inherit(command: Command): Command {
  command.exitOverride();
  command.commands.forEach(inherit);
  return command;
}
