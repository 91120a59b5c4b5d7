/**
 * Maximum nesting depth of lists and objects in a JSON text from a caller or a vendor. What is nested deeper cannot be walked
 * through or written out again without the risk that the stack ends, and no API that we know comes near.
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
 * @throws {SyntaxError} it is no JSON
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

/** Where the string that begins at `open` has its closing quote; the end of the text, if it has none. */
function endOfString(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
