import { Command } from "commander";
import { instancesOf } from "../../functions/core/grant/operator/instances-of.ts";
import { pendingsOf } from "../../functions/core/grant/operator/pendings-of.ts";
import { refreshGroup } from "../../functions/core/grant/store/refresh-group.ts";
import { type Instance, needsReauthentication } from "../../functions/core/instances/instance.ts";
import type { PendingSignIn } from "../../functions/core/instances/pending-sign-in.ts";
import { connectorKey } from "./app-command.ts";
import { markRestoredCommand } from "./mark-restored-command.ts";
import { isoTime, printMany, printOne } from "./print.ts";
import { reviveCommand } from "./revive-commands.ts";
import {
  chosenOrganizations,
  openTarget,
  requireOrganization,
  requireUser,
  type Target,
  UsageProblem,
} from "./target.ts";

/** Revocations that run in parallel. */
const AT_ONCE = 10;

export function instanceCommand(): Command {
  const instance = new Command("instance").description("Instances: users' connections to vendors");

  instance
    .command("list")
    .requiredOption("--organization <id>")
    .option("--connector <key>")
    .option("--user <id>")
    .action(
      async (options: { organization: string; connector?: string; user?: string }, command: Command) => {
        const connector = options.connector === undefined ? undefined : await connectorKey(options.connector);
        const target = await openTarget(command);
        await requireOrganization(target, options.organization);
        if (options.user !== undefined) await requireUser(target, options.organization, options.user);
        const rows = [];
        for await (const some of instancesOf(target.instances, options.organization, 100)) {
          for (const each of some) {
            if (connector !== undefined && each.connector !== connector) continue;
            if (options.user === undefined || each.userId === options.user) rows.push(row(each));
          }
        }
        printMany(command, rows);
      },
    );

  instance
    .command("revoke")
    .argument("<id...>")
    .description("ends instances: their tokens are invalid at once, and the vendor's tokens are revoked soon")
    .action(async (ids: string[], _options, command: Command) => {
      const numbers = ids.map((id) => {
        if (!/^[1-9][0-9]{0,15}$/.test(id)) throw new UsageProblem(`${id} is not an instance's id`);
        return Number(id);
      });
      const target = await openTarget(command);
      const unknown = await revokeEach(target, numbers);
      printOne(command, { revoked: numbers.length - unknown.length });
      if (unknown.length > 0) throw new UsageProblem(`there is no instance ${unknown.join(", ")}`);
    });
  instance.addCommand(markRestoredCommand());
  instance.addCommand(reviveCommand());
  return instance;
}

/** `revoke-all`: the kill switch. */
export function revokeAllCommand(): Command {
  return new Command("revoke-all")
    .description(
      "ends every instance of an organization, a connector or an OAuth client; without --yes it only counts",
    )
    .option("--organization <id>")
    .option("--connector <key>")
    .option("--client <id>", "the OAuth client's id at the vendor")
    .option("--yes", "do it")
    .action(
      async (
        options: { organization?: string; connector?: string; client?: string; yes?: boolean },
        command: Command,
      ) => {
        const { organization, client } = options;
        if (organization === undefined && options.connector === undefined && client === undefined) {
          throw new UsageProblem(
            "say which instances: --organization, --connector, --client, or several of them",
          );
        }
        const connector = options.connector === undefined ? undefined : await connectorKey(options.connector);
        const target = await openTarget(command);
        const organizations = await chosenOrganizations(target, organization);
        const chosen: number[] = [];
        const pending: PendingSignIn[] = [];
        const isMeant = (each: { connector: string; refreshGroup: string }): boolean =>
          (connector === undefined || each.connector === connector) &&
          (client === undefined || each.refreshGroup === refreshGroup(each.connector, client));
        for (const id of organizations) {
          for await (const each of pendingsOf(target.pendings, id)) {
            if (each.endingSince === undefined && each.claimedAt === undefined && isMeant(each))
              pending.push(each);
          }
          for await (const some of instancesOf(target.instances, id, 100)) {
            for (const each of some) {
              if (each.deleting !== true && isMeant(each)) chosen.push(each.id);
            }
          }
        }
        if (options.yes !== true) {
          printOne(command, { found: chosen.length, pendingSignIns: pending.length, revoked: 0 });
          console.error("Nothing was revoked: add --yes to do it.");
          return;
        }
        const gone = await revokeEach(target, chosen);
        for (const each of pending) await target.endPending(each);
        const revoked = chosen.length - gone.length;
        printOne(command, { found: chosen.length, pendingSignIns: pending.length, revoked });
      },
    );
}

/** @returns the ids of instances that do not exist (any more) */
async function revokeEach(target: Target, ids: readonly number[]): Promise<number[]> {
  const unknown: number[] = [];
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    await Promise.all(
      ids.slice(start, start + AT_ONCE).map(async (id) => {
        if (!(await target.revoke(id))) unknown.push(id);
      }),
    );
  }
  return unknown;
}

function row(instance: Instance) {
  const { id, connector, name, userId, account, createdAt } = instance;
  return {
    id,
    connector,
    name,
    user: userId,
    account: account?.email ?? account?.name ?? "",
    status: statusOf(instance),
    created: isoTime(createdAt),
  };
}

function statusOf(instance: Instance): string {
  if (instance.deleting === true) return "deleting";
  if (!instance.enabled) return "disabled";
  return needsReauthentication(instance) ? "needs re-authentication" : "active";
}
