import type { Instance } from "../instances/instance.ts";
import type { StoreReading } from "../store-clock.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Every wait and limit of the grant's life, in milliseconds. Tests pass a scaled copy.
 * A lease must outlast its holder: lease = pre-send + exchange + store.
 */
export const timing = {
  /** If a reading is older than this, the item is read again before a refresh. */
  readAgeMs: SECOND,
  /**
   * Longest time from just before the item is read until the token request's first byte; after it, the request
   * is not sent.
   */
  preSendMs: 10 * SECOND,
  /**
   * A sent token request is not aborted before this time, even if its caller has stopped waiting: a slow answer may carry the
   * only valid refresh token.
   */
  exchangeMs: 60 * SECOND,
  /** Time to store a new grant: in the table, or else in the rescue bucket. */
  storeMs: 30 * SECOND,
  /** How long no other process may send the same refresh token. */
  leaseMs: 100 * SECOND,
  /** A refresh begins only if the function lives at least that much longer; otherwise the worker gets it. */
  functionTimeMs: 100 * SECOND,
  /** How long a caller waits for another process's refresh. */
  callerPatienceMs: 8 * SECOND,
  /** Pause between two reads while waiting for another process's refresh: the first, and the longest. */
  pollMs: 150,
  pollMaxMs: 1200,
  /** How long the table is tried, then the bucket, then the table again. */
  storeTryMs: 10 * SECOND,
  /** Pause between two tries of one store that fails at once: the first, and the longest. */
  storePauseMs: 250,
  storePauseMaxMs: 4 * SECOND,
  /** When neither store takes a new grant: stop the tries when the function has only this much time left. */
  stopTryingMs: SECOND,
  /** A token is renewed just in time when less than this is left, or less than a tenth of its lifetime. */
  justInTimeMs: MINUTE,
  /** Subtracted from every lifetime that a vendor gives (or a fiftieth of it, if less). */
  skewMs: 10 * SECOND,
  /** Tokens with a shorter lifetime are never on the due index. */
  shortestScheduledMs: 5 * MINUTE,
  /** At most one forced refresh of a grant in this time, whatever the result of the last one. */
  forcedMs: MINUTE,
  /** A vendor may refuse a token younger than this, because not all of its servers know the token yet ... */
  freshTokenMs: 10 * SECOND,
  /** ... so such a token is tried again after this wait. */
  freshTokenWaitMs: 2 * SECOND,
  /** Least time between two checks of a token without known expiry and without refresh token. */
  probeMs: HOUR,
  /** How long the tokens of a dead grant are kept. */
  keepDeadMs: 30 * DAY,
  /** An app may retry a dead grant once in this time, and for so long after its death. */
  reviveEveryMs: HOUR,
  reviveForMs: 2 * DAY,
  /**
   * A grant is given up after it was refused for `refusedMs` and `refusedTries` times; at most one refusal per
   * `refusedStepMs` counts.
   */
  refusedMs: 7 * DAY,
  refusedTries: 10,
  refusedStepMs: 12 * HOUR,
  /** A grant is noted this long before that; grants of one connector noted within a day are judged together. */
  refusedNoticeMs: 2 * DAY,
  refusedDayMs: DAY,
  /**
   * Back-off of one grant's refreshes, doubled with each failure: for callers, and on the due index (there up
   * to twice as long, by jitter).
   */
  retryMs: 2 * SECOND,
  retryMaxMs: MINUTE,
  dueRetryMs: MINUTE,
  dueRetryMaxMs: 10 * MINUTE,
  /**
   * Longest Retry-After of a vendor that is obeyed: a year, or milliseconds instead of seconds, would block the
   * user.
   */
  retryAfterMaxMs: HOUR,
  /** After an authorization server refused the client itself: one probe in this time for all grants of the client. */
  pausedClientMs: 5 * MINUTE,
  /** If a sent message is lost, its item comes due again after this. */
  pushMs: 5 * MINUTE,
  /** `lastUsedAt` is written at most this often. */
  touchMs: DAY,
  /** How long a used code is remembered. */
  codeMs: 10 * MINUTE,
  /** How long a failed revocation is retried, before it is given up and reported. */
  revocationMs: 7 * DAY,
  /** How long one worker has a deletion for itself. If the worker crashes, the sweep queues the deletion again. */
  deletionMs: 3 * MINUTE,
  revocationRetryMs: MINUTE,
  revocationRetryMaxMs: HOUR,
  /**
   * Wait before a record of the rescue bucket is tried again; grows with the record's age, from `rescueRetryMs`
   * up to `rescueRetryMaxMs`.
   */
  rescueRetryMs: MINUTE,
  rescueRetryMaxMs: 30 * MINUTE,
  /** A record that is older than this was tried before. */
  rescueFreshMs: 5 * MINUTE,
  /** How long the item of a claimed sign-in is kept: longer than any process that may still write its grant. */
  claimedMs: 10 * MINUTE,
  /**
   * How long a delete tries to find out whether others share the consent; if this is still unknown then, the
   * consent is kept.
   */
  consentMs: HOUR,
  /**
   * A secondary index shows a write after a delay: usually within a second, but without a guarantee.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
   */
  indexMs: 10 * SECOND,
  /** Time limit for looking up the account of a grant, after the write. */
  accountMs: 5 * SECOND,
} as const satisfies Readonly<Record<string, number>>;

export type Timing = { readonly [K in keyof typeof timing]: number };

/** Share of the lifetime after which a grant is due, and how far jitter moves it in both directions. */
export const DUE_SHARE = 0.75;
export const DUE_JITTER = 0.05;
/** A refresh token that ends when it is idle is used at this share of its idle lifetime. */
export const KEEP_ALIVE_SHARE = 0.5;

/** `Date` has whole seconds: the true time is up to this much later. */
const DATE_RESOLUTION_MS = 1000;

/** The latest that the store's time can be: to check whether something has expired. */
export function latestNow(reading: StoreReading, monotonicMs: number): number {
  return reading.dateMs + DATE_RESOLUTION_MS + Math.max(0, Math.ceil(monotonicMs - reading.monotonicMs));
}

/**
 * The earliest that the store's time can be: to calculate an expiry.
 * @param answeredMs own monotonic clock when the reading's answer was received, or later
 */
export function earliestNow(reading: StoreReading, answeredMs: number, monotonicMs: number): number {
  return reading.dateMs + Math.max(0, Math.floor(monotonicMs - answeredMs));
}

/**
 * Whether another process may be sending this version's refresh token now. Judged by the `Date` of the answer
 * that contained the item.
 */
export function leaseIsHeld(instance: Pick<Instance, "until">, reading: StoreReading): boolean {
  return instance.until !== undefined && instance.until >= reading.dateMs;
}

/** How long to wait after a failed revocation: a quarter of the time for which it has failed, within limits. */
export function revocationWait(timing: Timing, failingForMs: number): number {
  const { revocationRetryMs, revocationRetryMaxMs } = timing;
  return Math.floor(Math.min(revocationRetryMaxMs, Math.max(revocationRetryMs, failingForMs / 4)));
}

/**
 * Whether a wait for the vendor still lasts. A time further ahead than any that this version writes is ignored:
 * an earlier version of Linkspan wrote it, which obeyed a `Retry-After` of a day.
 */
export function isAhead(until: number, now: number, timing: Timing): boolean {
  return until > now && until - now <= timing.retryAfterMaxMs + timing.skewMs;
}

/** Doubles with each failure up to a limit, and adds jitter of up to a quarter. */
export function backOff(firstMs: number, maxMs: number, failures: number, random: number): number {
  const grown = Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return Math.round(grown * (1 + random / 4));
}
