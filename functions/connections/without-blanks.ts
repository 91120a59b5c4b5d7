/**
 * Trims blanks and line breaks, which pasted ids, secrets, codes and tokens often have. Removes values that
 * hold only blanks.
 * @param isCut whether to trim the value of this key; other values stay as they are
 */
export function withoutBlanks(
  record: Readonly<Record<string, string>>,
  isCut: (key: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record)
      .map(([key, value]) => [key, isCut(key) ? value.trim() : value] as const)
      .filter(([key, value]) => value !== "" || !isCut(key)),
  );
}
