import type { Node } from "constructs";

/** Most changed, missing and additional letters of a name that counts as misspelt. */
const MOST_SLIPS = 2;

/**
 * Refuses a context value whose name is almost a setting's name. CDK would silently ignore a misspelt
 * setting, such as the address for alarms or the name of the stage. Other unknown names are allowed: CDK's
 * own names contain `:` or `/`, and an operator's context may hold values for other programs.
 * @throws {Error} a name is almost a setting's name; the message suggests that setting
 */
export function refuseMisspelt(node: Node, known: ReadonlySet<string>): void {
  for (const name of Object.keys(node.getAllContext() as object)) {
    if (known.has(name)) continue;
    const meant = [...known].find((each) => slips(name.toLowerCase(), each.toLowerCase()) <= MOST_SLIPS);
    if (meant !== undefined) throw new Error(`there is no context value ${name}: did you mean ${meant}?`);
  }
}

/** The Levenshtein distance of two names. */
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
