/**
 * The members of an answer that a request asks for with `fields=a,b`.
 * @param fields absent: all but those of `onlyAsked`
 * @param always members that are answered whatever is asked for
 */
export function selectFields(
  all: Readonly<Record<string, unknown>>,
  fields: string | undefined,
  always: readonly string[],
  onlyAsked: readonly string[] = [],
): Record<string, unknown> {
  const asked = fields?.split(",").map((field) => field.trim());
  const isIn = (name: string): boolean =>
    asked === undefined ? !onlyAsked.includes(name) : always.includes(name) || asked.includes(name);
  return Object.fromEntries(Object.entries(all).filter(([name]) => isIn(name)));
}
