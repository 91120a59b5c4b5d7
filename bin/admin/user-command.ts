import { Command } from "commander";
import type { User } from "../../functions/core/tenants/ports.ts";
import { isoTime, printMany, printOne, warnOnce } from "./print.ts";
import { openTarget, requireOrganization } from "./target.ts";

export function userCommand(): Command {
  const user = new Command("user").description("Users of an organization: they own instances");

  user
    .command("create")
    .requiredOption("--organization <id>")
    .requiredOption("--email <address>")
    .option("--first-name <name>", "", "")
    .option("--last-name <name>", "", "")
    .description("makes a user, and prints the user's secret once")
    .action(
      async (
        options: { organization: string; email: string; firstName: string; lastName: string },
        command: Command,
      ) => {
        const { tenants } = await openTarget(command);
        const { organization: organizationId, email, firstName, lastName } = options;
        const { user: made, secret } = await tenants.createUser({
          organizationId,
          email,
          firstName,
          lastName,
        });
        printOne(command, { ...row(made), userSecret: secret });
        warnOnce();
      },
    );

  user
    .command("list")
    .requiredOption("--organization <id>")
    .action(async (options: { organization: string }, command: Command) => {
      const target = await openTarget(command);
      await requireOrganization(target, options.organization);
      printMany(command, (await target.tenants.listUsers(options.organization)).map(row));
    });

  user
    .command("add-secret")
    .argument("<user>")
    .requiredOption("--organization <id>")
    .description("makes an additional secret: first step of a rotation")
    .action(async (id: string, options: { organization: string }, command: Command) => {
      const { tenants } = await openTarget(command);
      const secret = await tenants.addSecret({ organizationId: options.organization, userId: id });
      printOne(command, { id, userSecret: secret });
      warnOnce();
    });

  for (const [name, status] of [
    ["suspend", "suspended"],
    ["resume", "active"],
  ] as const) {
    user
      .command(name)
      .argument("<user>")
      .requiredOption("--organization <id>")
      .action(async (id: string, options: { organization: string }, command: Command) => {
        const { tenants } = await openTarget(command);
        await tenants.setStatus({ organizationId: options.organization, userId: id }, status);
        printOne(command, { id, status });
      });
  }
  return user;
}

function row({ id, number, email, firstName, lastName, status, createdAt }: User) {
  return { id, number, email, firstName, lastName, status, created: isoTime(createdAt) };
}
