import { Command } from "commander";
import type { OrganizationDeletion } from "../../functions/core/grant/operator/delete-organization.ts";
import { instancesOf } from "../../functions/core/grant/operator/instances-of.ts";
import { isoTime, printOne } from "./print.ts";
import { openTarget, type Target, UsageProblem } from "./target.ts";

interface DeleteOptions {
  readonly yes?: boolean;
  readonly now?: boolean;
}

/** `organization delete`: the operator repeats the command until nothing is left to revoke. */
export function deleteCommand(): Command {
  return new Command("delete")
    .argument("<organization>")
    .description(
      "revokes all instances of an organization, then shreds its data key and deletes it; without --yes it only counts",
    )
    .option("--yes", "do it; this cannot be undone")
    .option("--now", "shred at once: grants that are not revoked yet stay valid at their vendors")
    .action(async (id: string, options: DeleteOptions, command: Command) => {
      const target = await openTarget(command);
      if (options.yes !== true) return await countOnly(command, target, id);
      if (options.now === true) {
        console.error(
          "--now: a grant that is not revoked yet stays valid at its vendor, and Linkspan can no longer end it.",
        );
      }
      const result = await target.deleteOrganization(id, { shredNow: options.now === true });
      printOne(command, {
        id,
        state: result.state,
        left: result.left.map((instance) => String(instance.id)),
        pendingSignIns: result.pendings,
        rescueRecords: result.rescueRecords,
      });
      say(result);
    });
}

async function countOnly(command: Command, target: Target, id: string): Promise<void> {
  if ((await target.records.organization(id)) === undefined) {
    throw new UsageProblem(`there is no organization ${id}`);
  }
  let found = 0;
  for await (const some of instancesOf(target.instances, id, 100)) found += some.length;
  printOne(command, { id, state: "untouched", found });
  console.error("Nothing was changed: add --yes to do it.");
}

function say(deletion: OrganizationDeletion): void {
  const { state, left, pendings, rescueRecords, shreddedFrom, givenUpFrom } = deletion;
  if (state === "revoking") {
    console.error(
      `Suspended; ${left.length} instances, ${pendings} pending sign-ins and ${rescueRecords} rescue records are left to revoke. Run this again: ` +
        `from ${isoTime(shreddedFrom)} on, it shreds if nothing is left; from ${isoTime(givenUpFrom)} on, it shreds in any case.`,
    );
    return;
  }
  console.error(
    "Shredded: its secrets can no longer be decrypted. A point-in-time restore could bring the wrapped key back until 35 days from now.",
  );
  for (const { id, connector, userId, account } of left) {
    console.error(
      `not revoked at ${connector}: instance ${id} of user ${userId}, account ${account?.email ?? account?.id ?? "unknown"}`.replace(
        /\p{Cc}/gu,
        "?",
      ),
    );
  }
  if (pendings > 0) console.error(`not revoked: the grants of ${pendings} pending sign-ins`);
  if (rescueRecords > 0) console.error(`not revoked: the grants of ${rescueRecords} rescue records`);
}
