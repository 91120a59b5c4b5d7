import { textFinder } from "../find-text.ts";

/**
 * The test of `LIKE`: `%` stands for any characters, including none; a pattern without `%` matches anywhere.
 * Case does not count. The time grows only with the length of the text, whatever the pattern: each piece is
 * searched once, after the piece before it.
 * @returns a test of a text that `foldCase` has folded
 */
export function likeTest(pattern: string): (folded: string) => boolean {
  const pieces = foldCase(pattern).split("%");
  if (pieces.length === 1) {
    const [only = ""] = pieces;
    if (only === "") return () => true;
    const find = textFinder(only);
    return (folded) => find(folded) >= 0;
  }
  const start = pieces[0] ?? "";
  const end = pieces.at(-1) ?? "";
  const between = pieces
    .slice(1, -1)
    .filter((piece) => piece !== "")
    .map((piece) => ({ find: textFinder(piece), length: piece.length }));
  return (folded) => {
    if (!folded.startsWith(start) || !folded.endsWith(end)) return false;
    let at = start.length;
    // The first match is the best: it leaves most of the text for the later pieces.
    for (const { find, length } of between) {
      const found = find(folded, at);
      if (found < 0) return false;
      at = found + length;
    }
    return at <= folded.length - end.length;
  };
}

/**
 * Maps texts that differ only in case to the same text: Unicode's simple case folding, like the flag `i` of
 * regular expressions.
 */
export function foldCase(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
  let folded = "";
  for (const letter of text) folded += foldLetter(letter);
  return folded;
}

/** Folds one letter at a time, because `toLowerCase` of a whole text would turn one Σ into two different letters. */
function foldLetter(letter: string): string {
  // The dotless i has no counterpart.
  if (letter === "ı") return letter;
  const upper = letter.toUpperCase();
  // A letter such as ß, which becomes two letters, stays unchanged.
  const lower = (upper.length === letter.length ? upper : letter).toLowerCase();
  return lower.length === letter.length ? lower : letter;
}
