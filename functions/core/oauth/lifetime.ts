/** Vendors that send more than a century mean "never" (`2^63 - 1`), and no date can be computed from it. */
const MAX_EXPIRES_IN_SECONDS = 100 * 365 * 86_400;

/**
 * Reads a lifetime that a vendor or an app sends: a number, or a number as a text. `Number` would also accept
 * `true` and `[60]`.
 * @param perSecond how many units of `told` make a second
 * @returns seconds; undefined: not a lifetime, or it means "never"
 */
export function lifetimeOf(told: unknown, perSecond = 1): number | undefined {
  if (typeof told !== "number" && (typeof told !== "string" || told.trim() === "")) return undefined;
  const expiresIn = Number(told) / perSecond;
  return expiresIn > 0 && expiresIn <= MAX_EXPIRES_IN_SECONDS ? expiresIn : undefined;
}
