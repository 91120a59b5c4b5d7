/**
 * An app's URL with values added to its query. The app's own query may be signed, so its text stays as it is; a value of
 * the same name is replaced.
 */
export function addToQuery(appUrl: string, values: URLSearchParams): string {
  const url = new URL(appUrl);
  if ([...values.keys()].some((name) => url.searchParams.has(name))) {
    for (const name of values.keys()) url.searchParams.delete(name);
  }
  const { href } = url;
  if (!href.includes("?")) return `${href}?${values}`;
  return `${href}${href.endsWith("?") ? "" : "&"}${values}`;
}
