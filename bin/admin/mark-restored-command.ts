import { Command } from "commander";
import { connectorByKey } from "../../functions/connectors/catalogue.ts";
import { instancesOf } from "../../functions/core/grant/operator/instances-of.ts";
import { isUnsafe, markRestored, type Restored } from "../../functions/core/grant/operator/mark-restored.ts";
import type { InstanceStore } from "../../functions/core/instances/instance-store.ts";
import { printOne } from "./print.ts";
import { chosenOrganizations, openTarget, UsageProblem } from "./target.ts";

interface Options {
  readonly table: string;
  readonly organization?: string;
  readonly connector?: string;
  readonly yes?: boolean;
}

/** For docs/operations/restore.md: makes a restored instances table safe before Linkspan uses it. */
export function markRestoredCommand(): Command {
  return new Command("mark-restored")
    .description(
      "marks restored instances whose refresh tokens must not be sent again (vendors that rotate them) as needing a new sign-in; without --yes it only counts",
    )
    .requiredOption("--table <name>", "the restored table, which must not be in use yet")
    .option("--organization <id>", "only instances of this organization")
    .option("--connector <key>", "only instances of this connector")
    .option("--yes", "do it")
    .action(async ({ table, organization, connector, yes }: Options, command: Command) => {
      const target = await openTarget(command);
      const instances = target.instancesIn(table);
      await refuseMissing(instances, table);
      const deps = { instances, connectors: connectorByKey };
      const organizations = await chosenOrganizations(target, organization);
      const ended: Record<Restored, number> = { marked: 0, left: 0, moved: 0 };
      let [found, unsafe] = [0, 0];
      for (const id of organizations) {
        for await (const some of instancesOf(instances, id, 100)) {
          for (const each of some) {
            if (connector !== undefined && each.connector !== connector) continue;
            found += 1;
            if (isUnsafe(deps, each)) unsafe += 1;
            if (yes === true) ended[await markRestored(deps, each, target.now())] += 1;
          }
        }
      }
      printOne(command, { found, unsafe, marked: ended.marked });
      if (yes !== true) console.error("Nothing was marked: add --yes to do it.");
      if (ended.moved > 0) {
        throw new UsageProblem(
          `${ended.moved} instances changed meanwhile: the table ${table} is already in use; stop its use, and run this command again`,
        );
      }
    });
}

/** Reports a missing table, or a table of another kind, by name: AWS's own errors do not name the table. */
async function refuseMissing(instances: Pick<InstanceStore, "get">, table: string): Promise<void> {
  try {
    await instances.get(0);
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "ResourceNotFoundException") throw new UsageProblem(`there is no table ${table}`);
    if (name === "ValidationException") throw new UsageProblem(`${table} is not a table of instances`);
    throw error;
  }
}
