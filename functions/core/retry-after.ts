/** The longest wait that is accepted: a year is a mistake, and 3600000 means milliseconds. Neither may block a user. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * A vendor's `Retry-After` in milliseconds (RFC 9110 section 10.2.3): seconds, or a date, compared with the
 * vendor's own clock; an hour at most.
 * @param headers by lower-case names
 * @returns undefined: missing, or it cannot be read
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>): number | undefined {
  const value = headers["retry-after"]?.trim();
  if (value === undefined) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value)
    ? Number(value) * 1000
    : // Date.parse would also read "-5" as a date.
      Date.parse(/^[A-Za-z]{3}/.test(value) ? value : "") - Date.parse(headers.date ?? "");
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
