/** With more than a century vendors mean "never" (`2^63 - 1`), and dates cannot be computed from it. */
const MAX_EXPIRES_IN_SECONDS = 100 * 365 * 86_400;

/**
 * A lifetime as vendors and apps tell it: a number, or a number as a text; `true` and `[60]` would count as such for `Number`.
 * @param perSecond how many units of what is told make a second
 * @returns seconds; undefined: it is none, or means "never"
 */
export function lifetimeOf(told: unknown, perSecond = 1): number | undefined {
  if (typeof told !== "number" && (typeof told !== "string" || told.trim() === "")) return undefined;
  const expiresIn = Number(told) / perSecond;
  return expiresIn > 0 && expiresIn <= MAX_EXPIRES_IN_SECONDS ? expiresIn : undefined;
}
