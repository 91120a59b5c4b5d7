/**
 * Adapts the cache headers of an answer. All instances share the proxy's URLs, so no cache between Linkspan
 * and the caller may keep an answer for other callers, even if the vendor allows it for the vendor's own URL
 * (RFC 9111 sections 3.5 and 5.2.2).
 * @param headers headers of the vendor's answer
 * @param carriers names of the headers that held the instance token
 * @returns the headers, with `private` in `Cache-Control`, without directives for shared caches, and with the
 * carriers in `Vary`
 */
export function withPrivateCaching(
  headers: Readonly<Record<string, string>>,
  carriers: readonly string[],
): Record<string, string> {
  const value = (name: string) => Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
  const others = Object.entries(headers).filter(
    ([name]) => !["cache-control", "vary"].includes(name.toLowerCase()),
  );
  return {
    ...Object.fromEntries(others),
    "Cache-Control": ["private", ...directives(value("cache-control")).filter(isForThisCaller)].join(", "),
    Vary: vary(value("vary"), ["Origin", ...carriers]),
  };
}

function isForThisCaller(directive: string): boolean {
  const [name = ""] = directive.split("=");
  return !["public", "private", "s-maxage", "proxy-revalidate"].includes(name.trim().toLowerCase());
}

/** Splits at commas that are not between quotes: `no-cache="a, b", max-age=5`. */
function directives(value: string | undefined): string[] {
  const found: string[] = [];
  let current = "";
  let quoted = false;
  for (const letter of value ?? "") {
    if (letter === '"') quoted = !quoted;
    if (letter === "," && !quoted) {
      found.push(current.trim());
      current = "";
    } else current += letter;
  }
  return [...found, current.trim()].filter((directive) => directive !== "");
}

function vary(value: string | undefined, added: readonly string[]): string {
  const names = (value ?? "").split(",").map((name) => name.trim());
  if (names.includes("*")) return "*";
  const byName = new Map<string, string>();
  for (const name of [...names, ...added]) {
    if (name !== "" && !byName.has(name.toLowerCase())) byName.set(name.toLowerCase(), name);
  }
  return [...byName.values()].join(", ");
}
