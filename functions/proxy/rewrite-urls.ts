/**
 * Rewrites the URLs of a `Link` header (RFC 8288 section 3: `<url>; rel="next", <url>; …`).
 */
export function rewriteLinkHeader(value: string, rewrite: (url: string) => string): string {
  return value.replace(/<([^<>]*)>/g, (_, url: string) => `<${rewrite(url)}>`);
}

/** Each string of a JSON text, and whether it names a field. Quotes occur in strings only, so this never slips. */
const JSON_STRING = /"(?:[^"\\]|\\.)*"(\s*:)?/gs;

/**
 * Rewrites the URLs in the named fields of a JSON text, at any depth, and leaves every other byte as it is: numbers
 * beyond 2^53, blanks and the order of fields come out as they went in.
 */
export function rewriteJsonFields(
  text: string,
  fields: readonly string[],
  rewrite: (url: string) => string,
): string {
  let field: string | undefined;
  let fieldEnds = -1;
  return text.replace(JSON_STRING, (whole: string, colon: string | undefined, at: number) => {
    if (colon !== undefined) {
      field = decoded(whole.slice(0, -colon.length));
      fieldEnds = at + whole.length;
      return whole;
    }
    const isValue = field !== undefined && fields.includes(field) && text.slice(fieldEnds, at).trim() === "";
    const url = isValue ? decoded(whole) : undefined;
    return url === undefined ? whole : JSON.stringify(rewrite(url));
  });
}

function decoded(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}
