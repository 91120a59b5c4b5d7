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
  /** A reading older than this is not refreshed from: read again. */
  readAgeMs: SECOND,
  /** From just before the item is read until the token request's first byte: later it is not sent. */
  preSendMs: 10 * SECOND,
  /**
   * A sent token request is not aborted before this time, even if its caller has stopped waiting: a slow answer may carry the
   * only valid refresh token.
   */
  exchangeMs: 60 * SECOND,
  /** For bringing a new grant to safety: into the table, else into the rescue bucket. */
  storeMs: 30 * SECOND,
  /** How long no other process may send the same refresh token. */
  leaseMs: 100 * SECOND,
  /** A refresh begins only when the function lives that much longer; else it is handed to the worker. */
  functionTimeMs: 100 * SECOND,
  /** How long a caller waits for another process's refresh. */
  callerPatienceMs: 8 * SECOND,
  /** How often one who waits for somebody else's refresh looks: at first, and at most. */
  pollMs: 150,
  pollMaxMs: 1200,
  /** The table is tried for so long, then the bucket for so long, then the table again. */
  storeTryMs: 10 * SECOND,
  /** Between two tries of one store that fails at once: at first, and at most. */
  storePauseMs: 250,
  storePauseMaxMs: 4 * SECOND,
  /** When neither store takes a new grant: stop trying when the function has only this left. */
  stopTryingMs: SECOND,
  /** Renewed just in time when less is left, or less than a tenth of the lifetime. */
  justInTimeMs: MINUTE,
  /** Taken off every lifetime that a vendor tells (or a fiftieth of it, if less). */
  skewMs: 10 * SECOND,
  /** Tokens that live shorter are never on the due index. */
  shortestScheduledMs: 5 * MINUTE,
  /** One forced refresh of a grant at most in this time, however the last one ended. */
  forcedMs: MINUTE,
  /** A token that was renewed so lately may be refused because the vendor's servers do not all know it yet ... */
  freshTokenMs: 10 * SECOND,
  /** ... and is tried again after this. */
  freshTokenWaitMs: 2 * SECOND,
  /** Least time between two checks of a token without known end and without refresh token. */
  probeMs: HOUR,
  /** How long the tokens of a dead grant are kept. */
  keepDeadMs: 30 * DAY,
  /** An app may have a dead grant tried once in this time, for so long after its death. */
  reviveEveryMs: HOUR,
  reviveForMs: 2 * DAY,
  /**
   * A grant is given up after it was refused for `refusedMs` and `refusedTries` times; at most one refusal per
   * `refusedStepMs` counts.
   */
  refusedMs: 7 * DAY,
  refusedTries: 10,
  refusedStepMs: 12 * HOUR,
  /** It is noted this long before; grants of one connector noted within a day are judged together. */
  refusedNoticeMs: 2 * DAY,
  refusedDayMs: DAY,
  /** Back-off of one grant's refreshes, doubled with each failure: for callers, and on the due index (there up to twice that, by chance). */
  retryMs: 2 * SECOND,
  retryMaxMs: MINUTE,
  dueRetryMs: MINUTE,
  dueRetryMaxMs: 10 * MINUTE,
  /** A vendor's Retry-After is heeded up to this: a year, or milliseconds meant as seconds, would strand the user. */
  retryAfterMaxMs: HOUR,
  /** After an authorization server refused the client itself: one probe for all its grants in this time. */
  pausedClientMs: 5 * MINUTE,
  /** A sent message that is lost comes due again after this. */
  pushMs: 5 * MINUTE,
  /** `lastUsedAt` is written at most this often. */
  touchMs: DAY,
  /** A code that was used is remembered for so long. */
  codeMs: 10 * MINUTE,
  /** A revocation that fails is tried for so long, then given up and reported. */
  revocationMs: 7 * DAY,
  /** How long one worker has a deletion for itself. One that crashed leaves it to the sweep. */
  deletionMs: 3 * MINUTE,
  revocationRetryMs: MINUTE,
  revocationRetryMaxMs: HOUR,
  /**
   * Records of the rescue bucket are tried again after so long; the wait grows with the record's age, from `rescueRetryMs` up
   * to `rescueRetryMaxMs`.
   */
  rescueRetryMs: MINUTE,
  rescueRetryMaxMs: 30 * MINUTE,
  /** A record that is older was tried before. */
  rescueFreshMs: 5 * MINUTE,
  /** The item of a claimed sign-in outlasts every process that may still write what it holds. */
  claimedMs: 10 * MINUTE,
  /** How long a delete tries to find out whose consent it would end; if that is still unknown then, the consent is kept. */
  consentMs: HOUR,
  /**
   * A secondary index shows a write after a moment, as a rule within a second, without a guarantee.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
   */
  indexMs: 10 * SECOND,
  /** The account behind a grant is looked up after the write, briefly. */
  accountMs: 5 * SECOND,
} as const satisfies Readonly<Record<string, number>>;

export type Timing = { readonly [K in keyof typeof timing]: number };

/** Share of the lifetime after which a grant is due, and how far jitter moves it either way. */
export const DUE_SHARE = 0.75;
export const DUE_JITTER = 0.05;
/** A refresh token that dies of idleness is used at this share of its idle lifetime. */
export const KEEP_ALIVE_SHARE = 0.5;

/** `Date` has whole seconds: the true time lies up to this much after it. */
const DATE_RESOLUTION_MS = 1000;

/** The latest that the store's time can be: for asking whether something has run out. */
export function latestNow(reading: StoreReading, monotonicMs: number): number {
  return reading.dateMs + DATE_RESOLUTION_MS + Math.max(0, Math.ceil(monotonicMs - reading.monotonicMs));
}

/**
 * The earliest that the store's time can be: for saying until when something lasts.
 * @param answeredMs own monotonic clock when the reading's answer was there, or later
 */
export function earliestNow(reading: StoreReading, answeredMs: number, monotonicMs: number): number {
  return reading.dateMs + Math.max(0, Math.floor(monotonicMs - answeredMs));
}

/** Somebody may be at the vendor with this version's refresh token. Judged by the `Date` of the answer that brought the item. */
export function leaseIsHeld(instance: Pick<Instance, "until">, reading: StoreReading): boolean {
  return instance.until !== undefined && instance.until >= reading.dateMs;
}

/** How long after a revocation that failed it is tried again: a quarter of the time that it has been failing for, within limits. */
export function revocationWait(timing: Timing, failingForMs: number): number {
  const { revocationRetryMs, revocationRetryMaxMs } = timing;
  return Math.floor(Math.min(revocationRetryMaxMs, Math.max(revocationRetryMs, failingForMs / 4)));
}

/**
 * Whether a wait for the vendor is still running. A time later than any written today comes from an older version that obeyed a
 * `Retry-After` of a day: it is ignored.
 */
export function isAhead(until: number, now: number, timing: Timing): boolean {
  return until > now && until - now <= timing.retryAfterMaxMs + timing.skewMs;
}

/** Doubles with each failure up to a limit, with up to a quarter of jitter on top. */
export function backOff(firstMs: number, maxMs: number, failures: number, random: number): number {
  const grown = Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return Math.round(grown * (1 + random / 4));
}
