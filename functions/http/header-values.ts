/**
 * Headers that HTTP can carry. A vendor's text may end in one (a file's type, a file's name, a date), and a value with a line break or
 * a letter beyond Latin-1 makes the gateway refuse the whole answer. RFC 9110 section 5.5.
 * @returns the same headers; characters not allowed in a value become spaces, and invalid names are dropped
 */
export function sendableHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => /^[!#$%&'*+.^_`|~\w-]+$/.test(name))
      .map(([name, value]) => [name, value.replace(/[^\t\x20-\x7e\x80-\xff]/g, " ").trim()]),
  );
}
