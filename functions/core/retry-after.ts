/**
 * A vendor's `Retry-After` in milliseconds (RFC 9110 section 10.2.3): seconds, or a date, which is read against the vendor's own
 * clock.
 * @param headers by lower-case names
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>): number | undefined {
  const value = headers["retry-after"]?.trim();
  if (value === undefined) return undefined;
  if (/^\d{1,9}(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const ms = Date.parse(value) - Date.parse(headers.date ?? "");
  return Number.isFinite(ms) ? Math.max(ms, 0) : undefined;
}
