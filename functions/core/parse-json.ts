/**
 * Maximum nesting depth of lists and objects in a JSON text from a caller or a vendor. Walking through or
 * writing out deeper values risks a stack overflow, and no API that we know comes near this depth.
 */
export const MAX_JSON_NESTING = 100;

/** A JSON text is nested deeper than `MAX_JSON_NESTING`. */
export class JsonTooDeep extends Error {
  constructor() {
    super(`JSON nested more than ${MAX_JSON_NESTING} deep`);
    this.name = "JsonTooDeep";
  }
}

type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;

/**
 * `JSON.parse` for a text that a caller or a vendor wrote.
 * @throws {SyntaxError} the text is not JSON
 * @throws {JsonTooDeep}
 */
export function parseJson(text: string, reviver?: Reviver): unknown {
  if (nestsTooDeep(text)) throw new JsonTooDeep();
  return JSON.parse(text, reviver);
}

function nestsTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case "[":
      case "{":
        if (++depth > MAX_JSON_NESTING) return true;
        break;
      case "]":
      case "}":
        depth--;
        break;
      case '"':
        at = endOfString(text, at);
        break;
    }
  }
  return false;
}

/** Position of the closing quote of the string that begins at `open`; without a quote, the end of the text. */
function endOfString(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
