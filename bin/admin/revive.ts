import { setTimeout } from "node:timers/promises";
import { deathOf, isRevivable } from "../../functions/core/grant/store/death.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import { type Instance, needsReauthentication } from "../../functions/core/instances/instance.ts";
import type { InstanceItems } from "../../functions/core/instances/instance-store.ts";

/** One request a second to each client's authorization server, at most. */
const PACE_MS = 1_000;
/** So many refusals in a row: the vendor means it. */
const MOST_REFUSALS = 20;
const POLL_MS = 500;
/** A worker's exchange with the vendor, and a little for the queue and the write. */
const RESULT_MS = timing.exchangeMs + 15_000;

/**
 * `passed_over`: not dead any more, or not one that may be tried. `no_answer`: none of a worker, or none of the vendor that says
 * whether the grant lives (429, 503, no connection).
 */
export type Tried = "revived" | "still_dead" | "no_answer" | "passed_over";

export interface ReviveDeps {
  readonly instances: Pick<InstanceItems, "get">;
  /** Puts one more try of a dead grant into the work queue. */
  revive(instance: Instance): Promise<void>;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

export interface Revivals {
  readonly tried: Readonly<Record<Tried, number>>;
  /** Clients (by their queue groups) that were given up after 20 refusals in a row. */
  readonly stopped: readonly string[];
  /** Not tried for that reason. */
  readonly left: number;
}

/** Whether it was tried since it died, and not more than an hour ago: a command that was broken off goes on behind it. */
export function wasTriedLately(instance: Instance, now: number): boolean {
  const { forcedAt } = instance;
  const at = deathOf(instance)?.at;
  return (
    forcedAt !== undefined && now - forcedAt < timing.reviveEveryMs && (at === undefined || forcedAt > at)
  );
}

/**
 * Has dead grants tried once more, by the workers: one after the other for each client, a second apart, several clients side by
 * side. After each the item is read again, since it alone says how the try ended. A client whose vendor refuses twenty in a row
 * is given up.
 */
export async function reviveEach(deps: ReviveDeps, instances: readonly Instance[]): Promise<Revivals> {
  const { sleep = setTimeout } = deps;
  const tried: Record<Tried, number> = { revived: 0, still_dead: 0, no_answer: 0, passed_over: 0 };
  const stopped: string[] = [];
  let left = 0;
  const byClient = Map.groupBy(instances, ({ refreshGroup }) => refreshGroup);
  await Promise.all(
    [...byClient].map(async ([client, grants]) => {
      let refusals = 0;
      for (const [position, { id }] of grants.entries()) {
        if (refusals >= MOST_REFUSALS) {
          stopped.push(client);
          left += grants.length - position;
          return;
        }
        const pace = sleep(PACE_MS);
        const result = await reviveOne(deps, id, sleep);
        tried[result] += 1;
        if (result === "passed_over") continue;
        refusals = result === "revived" ? 0 : refusals + 1;
        await pace;
      }
    }),
  );
  return { tried, stopped, left };
}

async function reviveOne(
  deps: ReviveDeps,
  id: number,
  sleep: (ms: number) => Promise<unknown>,
): Promise<Tried> {
  const { value: before } = await deps.instances.get(id);
  if (before === undefined || !isRevivable(before)) return "passed_over";
  await deps.revive(before);
  for (let waited = 0; waited < RESULT_MS; waited += POLL_MS) {
    await sleep(POLL_MS);
    const { value: now } = await deps.instances.get(id);
    if (now === undefined || now.deleting === true) return "passed_over";
    if (!needsReauthentication(now)) return "revived";
    // A lease that is still there: the vendor is being asked, or nobody knows how that ended.
    if (now.forcedAt === before.forcedAt || now.until !== undefined) continue;
    // Given back without that: the vendor could not be reached, or answered something else.
    return now.death?.confirmedAt === before.death?.confirmedAt ? "no_answer" : "still_dead";
  }
  return "no_answer";
}
