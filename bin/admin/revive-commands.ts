import { Command } from "commander";
import { instancesOf } from "../../functions/core/grant/operator/instances-of.ts";
import { deathOf, isRevivable } from "../../functions/core/grant/store/death.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { connectorKey } from "./app-command.ts";
import { printOne } from "./print.ts";
import { type Revivals, reviveEach, wasTriedLately } from "./revive.ts";
import { chosenOrganizations, openTarget, type Target, UsageProblem } from "./target.ts";

/** `instance revive`: tries one or a few dead grants. */
export function reviveCommand(): Command {
  return new Command("revive")
    .argument("<id...>")
    .description("tries the kept tokens of instances that need a new sign-in once more at their vendor")
    .action(async (ids: string[], _options, command: Command) => {
      const target = await openTarget(command);
      const instances: Instance[] = [];
      for (const id of ids) {
        if (!/^[1-9][0-9]{0,15}$/.test(id)) throw new UsageProblem(`${id} is not an instance's id`);
        const { value } = await target.instances.get(Number(id));
        if (value === undefined) throw new UsageProblem(`there is no instance ${id}`);
        if (!isRevivable(value)) throw new UsageProblem(`instance ${id} ${whyNot(value)}`);
        instances.push(value);
      }
      report(command, instances.length, await reviveEach(target, instances));
    });
}

interface Options {
  readonly connector: string;
  readonly since: string;
  readonly organization?: string;
  readonly yes?: boolean;
}

/** `revive-all`: for use after an incident in which a vendor refused valid grants. */
export function reviveAllCommand(): Command {
  return new Command("revive-all")
    .description(
      "tries the kept tokens of a connector's instances that have died since a time once more, one per second for each OAuth client; without --yes it only counts",
    )
    .requiredOption("--connector <key>")
    .requiredOption("--since <time>", "ISO 8601, such as 2026-11-26T08:00:00Z: when the incident began")
    .option("--organization <id>", "only instances of this organization")
    .option("--yes", "do it")
    .action(async ({ connector, since, organization, yes }: Options, command: Command) => {
      const key = await connectorKey(connector);
      const from = timeOf(since);
      const target = await openTarget(command);
      const found = await candidates(target, key, from, organization);
      const { chosen, triedLately, undated } = found;
      const clients = new Set(chosen.map(({ refreshGroup }) => refreshGroup)).size;
      if (yes !== true) {
        printOne(command, { found: chosen.length, clients, triedLately, undated });
        console.error("Nothing was tried: add --yes to do it.");
        return;
      }
      report(command, chosen.length, await reviveEach(target, chosen));
    });
}

/**
 * Finds the instances that have died since a time and may be tried. `triedLately`: number of instances that
 * were tried after their death and within the last hour; skipping these lets an interrupted command continue.
 * `undated`: number of instances whose time of death is unknown, because an older version of Linkspan did not
 * store it; only `instance revive` tries them.
 */
async function candidates(
  target: Target,
  connector: string,
  since: number,
  organization: string | undefined,
): Promise<{ chosen: Instance[]; triedLately: number; undated: number }> {
  const chosen: Instance[] = [];
  let [triedLately, undated] = [0, 0];
  for (const id of await chosenOrganizations(target, organization)) {
    for await (const some of instancesOf(target.instances, id, 100)) {
      for (const each of some) {
        if (each.connector !== connector || !isRevivable(each)) continue;
        const at = deathOf(each)?.at;
        if (at === undefined) undated += 1;
        else if (at < since) continue;
        else if (wasTriedLately(each, target.now())) triedLately += 1;
        else chosen.push(each);
      }
    }
  }
  return { chosen, triedLately, undated };
}

function report(command: Command, found: number, { tried, stopped, left }: Revivals): void {
  const { revived, still_dead: stillDead, no_answer: noAnswer, passed_over: passedOver } = tried;
  printOne(command, { found, revived, stillDead, noAnswer, passedOver, left });
  if (stopped.length === 0) return;
  throw new UsageProblem(
    `stopped for ${stopped.length} OAuth client${stopped.length === 1 ? "" : "s"} after 20 consecutive tries without success, ${left} instances were not tried: ask the vendor, then run the same command again`,
  );
}

function whyNot(instance: Instance): string {
  const death = deathOf(instance);
  if (instance.deleting === true) return "is being deleted";
  if (death === undefined) return "is not dead";
  if (!instance.enabled) return "is disabled: enable it first";
  if (death.emptied === true) return "died more than 30 days ago: its tokens are deleted";
  return `cannot be revived (${death.reason}): its user has to sign in again`;
}

function timeOf(text: string): number {
  const at = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(at))
    throw new UsageProblem(`${text} is not a time: write it as 2026-11-26 or 2026-11-26T08:00:00Z`);
  return at;
}
