import type { RescueList } from "../../instances/rescue-store.ts";
import { present } from "../../present.ts";
import type { Timing } from "../timing.ts";

/**
 * A round through the rescue bucket, over as many sweeps as it takes. Which records a round queues depends on their age alone:
 * a young record at each round, an older one at growing distances. So records that make no progress leave the others their place.
 */
export interface RescueRound {
  /** Store time at which this round began. */
  readonly at: number;
  /** Store time at which the one before began; absent: unknown, so each record is queued. */
  readonly before?: number;
  /** The last key that was looked at; absent: the round is over. */
  readonly after?: string;
}

/** A record to be queued now. */
export interface RescueWork {
  readonly key: string;
  /** It was tried before. Such records make a group of their own in the queue, behind the new ones. */
  readonly again: boolean;
}

interface RoundDeps {
  readonly rescue: RescueList;
  readonly timing: Pick<Timing, "rescueRetryMs" | "rescueRetryMaxMs" | "rescueFreshMs">;
  readonly remainingMs: () => number;
}

/** S3 lists no more keys at once. */
const PAGE = 1000;
/** Each sweep sends at most so many records, and lists at most so many pages. */
const MOST_RECORDS = 500;
const MOST_PAGES = 20;

/** The distance between two tries is this share of a record's age. */
const RETRY_SHARE = 1 / 12;

/**
 * Goes on with a round, or begins the next one.
 * @param last the state that the last sweep left
 * @param now store time
 * @param reserveMs left of the invocation for the rest of the sweep
 * @returns the records to queue, the state to keep, and how many records were seen
 */
export async function nextRescueWork(
  { rescue, timing, remainingMs }: RoundDeps,
  last: RescueRound | undefined,
  now: number,
  reserveMs: number,
): Promise<{ readonly work: readonly RescueWork[]; readonly round: RescueRound; readonly seen: number }> {
  const begun: RescueRound =
    last?.after === undefined ? { at: now, ...(last === undefined ? {} : { before: last.at }) } : last;
  const { after: _, ...round } = begun;
  const work: RescueWork[] = [];
  let { after } = begun;
  let seen = 0;
  for (let pages = 0; pages < MOST_PAGES && remainingMs() > reserveMs; pages++) {
    const page = await rescue.list({ limit: PAGE, ...present({ after }) });
    for (const key of page.keys) {
      if (work.length === MOST_RECORDS) return { work, round: { ...round, ...present({ after }) }, seen };
      after = key;
      seen++;
      const writtenAt = page.writtenAt?.get(key);
      if (isDue(timing, writtenAt, round))
        work.push({ key, again: writtenAt !== undefined && now - writtenAt > timing.rescueFreshMs });
    }
    if (page.next === undefined) return { work, round, seen };
    after = page.next;
  }
  return { work, round: { ...round, ...present({ after }) }, seen };
}

/** Whether one of the record's retry times falls between the start of the last round and the start of this one. */
function isDue(
  timing: RoundDeps["timing"],
  writtenAt: number | undefined,
  { before, at }: Pick<RescueRound, "before" | "at">,
): boolean {
  if (writtenAt === undefined || before === undefined) return true;
  const { rescueRetryMs: least, rescueRetryMaxMs: most } = timing;
  let time = writtenAt;
  while (time <= before) {
    const distance = Math.max(least, (time - writtenAt) * RETRY_SHARE);
    // From there on the distances are equal, however old the record is.
    if (distance >= most) time += Math.floor((before - time) / most) * most;
    time += Math.min(most, distance);
  }
  // A record that is newer than the round is due as well: the next round may be a while away.
  return time <= at || writtenAt > at;
}
