/**
 * Rewrites the URLs of a `Link` header (RFC 8288 section 3: `<url>; rel="next", <url>; …`).
 */
export function rewriteLinkHeader(value: string, rewrite: (url: string) => string): string {
  return value.replace(/<([^<>]*)>/g, (_, url: string) => `<${rewrite(url)}>`);
}

/**
 * Rewrites the URLs in the named fields of a JSON text, at any depth, and leaves every other byte as it is: numbers
 * beyond 2^53, blanks and the order of fields come out as they went in. One walk through the text: a vendor's body may be
 * large, and shaped by whoever fills the account.
 */
export function rewriteJsonFields(
  text: string,
  fields: readonly string[],
  rewrite: (url: string) => string,
): string {
  let rewritten = "";
  let copied = 0;
  // Quotes begin and end strings only, so a walk from string to string never slips.
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

/** Behind the closing quote of the string that begins at `open`; -1: it has none. */
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
