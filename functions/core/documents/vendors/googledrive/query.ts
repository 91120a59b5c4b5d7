/**
 * https://developers.google.com/workspace/drive/api/guides/search-files: a backslash escapes quotes and
 * backslashes.
 */
export function quoted(value: string): string {
  return `'${value.replace(/[\\']/g, "\\$&")}'`;
}

export function withQuery(url: string, query: Record<string, string>): string {
  return `${url}?${new URLSearchParams(query)}`;
}
