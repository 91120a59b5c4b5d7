import type { RescueList } from "../../instances/rescue-store.ts";
import { present } from "../../present.ts";
import type { Timing } from "../timing.ts";

/**
 * A round through the rescue bucket, over as many sweeps as needed. Only the age of a record decides which
 * rounds queue it: a young record is queued at each round, an older one at growing distances. So records that
 * make no progress do not keep the others waiting.
 */
export interface RescueRound {
  /** Store time at which this round began. */
  readonly at: number;
  /** Store time at which the round before began. Absent: unknown, so each record is queued. */
  readonly before?: number;
  /** The last key that was looked at. Absent: the round is complete. */
  readonly after?: string;
}

/** A record to be queued now. */
export interface RescueWork {
  readonly key: string;
  /**
   * Whether the record was tried before. Such records form their own group in the queue, so that they do not
   * delay new ones.
   */
  readonly again: boolean;
}

interface RoundDeps {
  readonly rescue: RescueList;
  readonly timing: Pick<Timing, "rescueRetryMs" | "rescueRetryMaxMs" | "rescueFreshMs">;
  readonly remainingMs: () => number;
}

/** S3 lists at most so many keys at once. */
const PAGE = 1000;
/** Each sweep sends at most so many records, and lists at most so many pages. */
const MOST_RECORDS = 500;
const MOST_PAGES = 20;

/** The distance between two tries is this share of a record's age. */
const RETRY_SHARE = 1 / 12;

/**
 * Continues a round, or begins the next one.
 * @param last the state after the last sweep
 * @param now store time
 * @param reserveMs time of the invocation to leave for the rest of the sweep
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
    // From here on all distances are the same, so skip most of them.
    if (distance >= most) time += Math.floor((before - time) / most) * most;
    time += Math.min(most, distance);
  }
  // A record that is newer than the round is due as well: the next round may be a while away.
  return time <= at || writtenAt > at;
}
