/**
 * Makes headers valid for HTTP (RFC 9110 section 5.5). A header may hold a vendor's text (a file's type, a
 * file's name, a date), and a value with a line break or a letter beyond Latin-1 makes the gateway refuse the
 * whole answer.
 * @returns the same headers; characters that a value must not hold become spaces, and headers with invalid
 * names are dropped
 */
export function sendableHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => /^[!#$%&'*+.^_`|~\w-]+$/.test(name))
      .map(([name, value]) => [name, value.replace(/[^\t\x20-\x7e\x80-\xff]/g, " ").trim()]),
  );
}
