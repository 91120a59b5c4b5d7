import type { Node } from "constructs";

/** Changed, missing and additional letters that are still taken for a slip. */
const MOST_SLIPS = 2;

/**
 * A misspelt setting would be passed over in silence: an alarm that nobody gets, a stage with another's name. CDK's own names
 * hold `:` or `/`, and whatever else stands in an operator's context may be meant for others.
 * @throws {Error} a name that is not known, but almost; the message says which is meant
 */
export function refuseMisspelt(node: Node, known: ReadonlySet<string>): void {
  for (const name of Object.keys(node.getAllContext() as object)) {
    if (known.has(name)) continue;
    const meant = [...known].find((each) => slips(name.toLowerCase(), each.toLowerCase()) <= MOST_SLIPS);
    if (meant !== undefined) throw new Error(`there is no context value ${name}: did you mean ${meant}?`);
  }
}

/** Levenshtein's distance. */
function slips(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (const [column, otherLetter] of [...other].entries()) {
      const replaced = (row[column] ?? 0) + (letter === otherLetter ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
