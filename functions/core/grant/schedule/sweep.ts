import type { DueIndex, DueItem } from "../../instances/instance-store.ts";
import type { RescueList } from "../../instances/rescue-store.ts";
import { mapConcurrently } from "../../map-concurrently.ts";
import { present } from "../../present.ts";
import type { WorkQueue } from "../../work-queue/work.ts";
import type { Timing } from "../timing.ts";
import { nextRescueWork, type RescueRound } from "./rescue-round.ts";

export interface SweepDeps {
  readonly due: DueIndex;
  readonly rescue: RescueList;
  readonly queue: WorkQueue;
  readonly lock: SweepLock;
  readonly timing: Timing;
  /** Number of shards for new due times; earlier configurations may have used more. */
  readonly shards: number;
  /** Milliseconds that this invocation may still take. */
  readonly remainingMs: () => number;
}

export interface SweepOutcome {
  readonly due: number;
  readonly queued: number;
  readonly oldestOverdueMs: number;
  readonly rescueRecords: number;
}

/** The lock of the running sweep, and the cursors for the next one. */
export interface SweepState {
  readonly lockedUntil: number;
  /** Highest shard count ever used: if the count shrinks, the other shards are still swept. */
  readonly shards: number;
  /** Shards that the last sweep had no time for: swept first. */
  readonly unfinished?: readonly ShardPlace[];
  /** The round through the rescue bucket. */
  readonly rescue?: RescueRound;
}

/** The place in a shard where a sweep continues; without `after`, at its beginning. */
export interface ShardPlace {
  readonly shard: number;
  readonly after?: string;
}

/** One conditional item: one sweep at a time. */
export interface SweepLock {
  /** The store's time, epoch milliseconds. */
  now(): number;
  read(): Promise<SweepState | undefined>;
  /** Writes if the item is still equal to `seen` (`undefined`: there is none). */
  write(state: SweepState, seen: SweepState | undefined): Promise<boolean>;
}

const PAGE = 100;
/**
 * A sweep waits for answers most of its time: it sweeps several shards side by side, and sets the due times of a page side by
 * side. Both together stay under the 50 connections of the SDK's client: a request that waits for a free connection would run
 * into the connect timeout.
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/node-configuring-maxsockets.html
 */
const SHARDS_AT_ONCE = 4;
const WRITES_AT_ONCE = 12;
/** Time left for setting the last page's due times and for the cursor. */
const RESERVE_MS = 10_000;

/**
 * One sweep: queues due instances, several shards side by side, and records of the rescue bucket. Only one
 * sweep runs at a time, by a conditional item that also keeps the cursors of a sweep that ran out of time.
 * Sends messages first and sets later `dueAt` values after that, if they are unchanged: so an instance whose
 * message is lost comes due again, and a fast worker's result is not overwritten.
 * @returns undefined: another sweep is running
 */
export async function sweep(deps: SweepDeps): Promise<SweepOutcome | undefined> {
  const held = await lock(deps);
  if (held === undefined) return undefined;
  const seen = { due: 0, queued: 0, oldestOverdueMs: 0, rescueRecords: 0 };
  const unfinished: ShardPlace[] = [];
  let round = held.rescue;
  try {
    const [rescue] = await Promise.allSettled([sweepRescue(deps, held.rescue, seen)]);
    if (rescue.status === "fulfilled") round = rescue.value;
    const shards = await sweepShards(deps, held, seen);
    unfinished.push(...shards.flatMap((each) => (each.status === "fulfilled" ? (each.value ?? []) : [])));
    // Throw only here: a failing bucket must not stop the shards, and a failing shard must not stop the other shards.
    if (rescue.status === "rejected") throw rescue.reason;
    const failed = shards.find((each) => each.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  } finally {
    await unlock(deps, held, unfinished, round);
  }
  return seen;
}

async function lock(deps: SweepDeps): Promise<SweepState | undefined> {
  const old = await deps.lock.read();
  const now = deps.lock.now();
  if (old !== undefined && old.lockedUntil > now) return undefined;
  const state: SweepState = {
    ...old,
    shards: Math.max(deps.shards, old?.shards ?? 0),
    // The lock lasts as long as this invocation can: the lock of a crashed sweep expires by itself.
    lockedUntil: now + Math.ceil(deps.remainingMs()) + 1000,
  };
  return (await deps.lock.write(state, old)) ? state : undefined;
}

async function unlock(
  deps: SweepDeps,
  held: SweepState,
  unfinished: readonly ShardPlace[],
  round: RescueRound | undefined,
): Promise<void> {
  const state: SweepState = {
    shards: held.shards,
    ...(unfinished.length === 0 ? {} : { unfinished }),
    ...present({ rescue: round }),
    lockedUntil: 0,
  };
  await deps.lock.write(state, held);
}

/**
 * Sweeps all shards once, first those that the last sweep left.
 * @returns for each shard: where the next sweep continues, if this one did not finish. A shard that failed
 *   starts from the beginning, because its cursor may be the cause.
 */
async function sweepShards(
  deps: SweepDeps,
  { shards, unfinished = [] }: SweepState,
  seen: { due: number; queued: number; oldestOverdueMs: number },
): Promise<PromiseSettledResult<ShardPlace | undefined>[]> {
  const now = deps.lock.now();
  const left = new Set(unfinished.map(({ shard }) => shard));
  const others = Array.from({ length: shards }, (_, shard) => ({ shard })).filter(
    ({ shard }) => !left.has(shard),
  );
  return await mapConcurrently([...unfinished, ...others], SHARDS_AT_ONCE, (place) =>
    sweepShard(deps, place, now, seen),
  );
}

async function sweepShard(
  deps: SweepDeps,
  { shard, after }: ShardPlace,
  now: number,
  seen: { due: number; queued: number; oldestOverdueMs: number },
): Promise<ShardPlace | undefined> {
  let next = after;
  do {
    if (deps.remainingMs() < RESERVE_MS) return { shard, ...present({ after: next }) };
    const page = await deps.due.due(shard, now, PAGE, next);
    seen.due += page.items.length;
    // Counts from the first due time: a later `dueAt` only means that a message was sent, not that the grant
    // was refreshed.
    for (const { dueAt, dueSince = dueAt } of page.items)
      seen.oldestOverdueMs = Math.max(seen.oldestOverdueMs, now - dueSince);
    const queued = await queueDue(deps, page.items, now);
    seen.queued += queued;
    next = page.next;
  } while (next !== undefined);
  return undefined;
}

async function queueDue(deps: SweepDeps, items: readonly DueItem[], now: number): Promise<number> {
  const sent = await deps.queue.send(
    items.map(({ id: instanceId, refreshGroup: group, pending }) =>
      pending === undefined
        ? { kind: "refresh", instanceId, cause: "schedule", group }
        : { kind: "pending", instanceId, ...pending, group },
    ),
  );
  const queued = items.filter((_, index) => sent[index] === true);
  // If this write fails, the item only comes due once more.
  const to = now + deps.timing.pushMs;
  await mapConcurrently(queued, WRITES_AT_ONCE, ({ id, dueAt, pending }) =>
    pending === undefined
      ? deps.due.setDueAt(id, dueAt, to)
      : deps.due.setPendingDueAt({ instanceId: id, ...pending }, dueAt, to),
  );
  return queued.length;
}

/** @returns where the next sweep continues in the rescue bucket */
async function sweepRescue(
  deps: SweepDeps,
  last: RescueRound | undefined,
  seen: { rescueRecords: number },
): Promise<RescueRound> {
  const found = await nextRescueWork(deps, last, deps.lock.now(), deps.remainingMs() / 2);
  seen.rescueRecords = found.seen;
  await deps.queue.send(
    found.work.map(({ key, again }) => ({ kind: "rescue", key, group: again ? "rescue-again" : "rescue" })),
  );
  return found.round;
}
