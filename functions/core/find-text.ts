/**
 * Up to this length `indexOf` is fast enough; for longer pieces V8's `indexOf` may compare the whole piece at
 * each position (1.2 s for 8,000 characters in 1 MB), so a caller who chooses both could keep a processor busy.
 */
const SHORT = 64;

/**
 * Prepares the search for one piece of text.
 * @param piece the text to find, not empty
 * @returns finds the first match at or after `from`, or -1; its time grows only with the length of the text
 */
export function textFinder(piece: string): (text: string, from?: number) => number {
  if (piece.length <= SHORT) return (text, from = 0) => text.indexOf(piece, from);
  const borders = bordersOf(piece);
  return (text, from = 0) => {
    let matched = 0;
    for (let at = from; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      while (matched > 0 && piece.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0;
      if (piece.charCodeAt(matched) === unit) matched++;
      if (matched === piece.length) return at - matched + 1;
    }
    return -1;
  };
}

/** Knuth, Morris and Pratt: for each prefix of the piece, the length of its longest proper suffix that is also a prefix. */
function bordersOf(piece: string): Uint32Array {
  const borders = new Uint32Array(piece.length);
  let length = 0;
  for (let at = 1; at < piece.length; at++) {
    while (length > 0 && piece.charCodeAt(at) !== piece.charCodeAt(length)) length = borders[length - 1] ?? 0;
    if (piece.charCodeAt(at) === piece.charCodeAt(length)) length++;
    borders[at] = length;
  }
  return borders;
}
