/**
 * Pasted ids, secrets, codes and tokens come with blanks and line breaks: these are trimmed, and a value of only blanks counts
 * as absent.
 * @param isCut whether the value of a key goes to a vendor; the others stay as they are
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
