import { setTimeout } from "node:timers/promises";
import { deathOf, isRevivable } from "../../functions/core/grant/store/death.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import { type Instance, needsReauthentication } from "../../functions/core/instances/instance.ts";
import type { InstanceItems } from "../../functions/core/instances/instance-store.ts";

/** At most one request per second for each OAuth client. */
const PACE_MS = 1_000;
/** After this many consecutive tries without success, the client's other grants are not tried. */
const MOST_REFUSALS = 20;
const POLL_MS = 500;
/**
 * Time limit for a result: a worker's exchange with the vendor, and some time for the queue and the write.
 */
const RESULT_MS = timing.exchangeMs + 15_000;

/**
 * `passed_over`: the grant is no longer dead, or may not be tried. `no_answer`: no result from a worker, or
 * no answer of the vendor that shows whether the grant is valid (429, 503, no connection).
 */
export type Tried = "revived" | "still_dead" | "no_answer" | "passed_over";

export interface ReviveDeps {
  readonly instances: Pick<InstanceItems, "get">;
  /** Enqueues one more try of a dead grant. */
  revive(instance: Instance): Promise<void>;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

export interface Revivals {
  readonly tried: Readonly<Record<Tried, number>>;
  /** OAuth clients (by their queue groups) that were stopped after 20 consecutive tries without success. */
  readonly stopped: readonly string[];
  /** Number of instances that were not tried for that reason. */
  readonly left: number;
}

/**
 * Whether the grant was tried after its death and within the last hour. An interrupted command skips such a
 * grant.
 */
export function wasTriedLately(instance: Instance, now: number): boolean {
  const { forcedAt } = instance;
  const at = deathOf(instance)?.at;
  return (
    forcedAt !== undefined && now - forcedAt < timing.reviveEveryMs && (at === undefined || forcedAt > at)
  );
}

/**
 * Lets the workers try dead grants once more: one after the other for each OAuth client, at least a second
 * apart; several clients in parallel. After each try, reads the item again, because only the item has the
 * result. Stops a client after 20 consecutive tries without success.
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
    // If there is still a lease, the request to the vendor is running, or its result is unknown.
    if (now.forcedAt === before.forcedAt || now.until !== undefined) continue;
    // If the lease was released without a new confirmation of the death, the vendor was not reached or gave
    // another answer.
    return now.death?.confirmedAt === before.death?.confirmedAt ? "no_answer" : "still_dead";
  }
  return "no_answer";
}
