/**
 * Rewrites the URLs of a `Link` header (RFC 8288 section 3: `<url>; rel="next", <url>; …`).
 */
export function rewriteLinkHeader(value: string, rewrite: (url: string) => string): string {
  return value.replace(/<([^<>]*)>/g, (_, url: string) => `<${rewrite(url)}>`);
}

/**
 * Rewrites the URLs in the named fields of a JSON text, at any depth, and leaves every other byte unchanged:
 * numbers beyond 2^53, blanks and the order of fields stay as they are. Reads the text only once, because a
 * vendor's body may be large, and the users of the account determine its content.
 */
export function rewriteJsonFields(
  text: string,
  fields: readonly string[],
  rewrite: (url: string) => string,
): string {
  let rewritten = "";
  let copied = 0;
  // In JSON, quotes only begin and end strings, so going from string to string is safe.
  let open = text.indexOf('"');
  while (open >= 0) {
    const end = endOfString(text, open);
    if (end < 0) break;
    let next = skipBlanks(text, end);
    if (text[next] === ":" && fields.includes(decoded(text.slice(open, end)) ?? "")) {
      next = skipBlanks(text, next + 1);
      const valueEnd = text[next] === '"' ? endOfString(text, next) : -1;
      const url = valueEnd < 0 ? undefined : decoded(text.slice(next, valueEnd));
      if (url !== undefined) {
        rewritten += text.slice(copied, next) + JSON.stringify(rewrite(url));
        copied = valueEnd;
        next = valueEnd;
      }
    }
    open = text.indexOf('"', next);
  }
  return rewritten + text.slice(copied);
}

/**
 * Position after the closing quote of the string that begins at `open`; -1: the string has no closing quote.
 */
function endOfString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const letter = text[at];
    if (letter === '"') return at + 1;
    if (letter === "\\") at++;
  }
  return -1;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return at;
}

function decoded(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}
