/** A path with variables, cut into literals and names: `/users/{id}/items/{path+}`. */
export interface PathTemplate {
  /** The text before the first variable, then before each next one; the last is the end of the path. */
  readonly literals: readonly string[];
  readonly names: readonly { readonly name: string; readonly isLong: boolean }[];
}

/**
 * Reads a template. `{name}` stands for text without `/`; `{name+}` for text with any number of `/`, at most
 * one of them. Variables may stand inside of a segment: `/Items({id})/Children`, `/root:/{path+}:/children`.
 */
export function pathTemplate(template: string): PathTemplate {
  const pieces = template.split(/[{}]/);
  return {
    literals: pieces.filter((_, index) => index % 2 === 0),
    names: pieces
      .filter((_, index) => index % 2 === 1)
      .map((piece) => ({ name: piece.replace("+", ""), isLong: piece.endsWith("+") })),
  };
}

/**
 * The decoded variables of a raw path, or undefined if the path does not fit. A variable is never empty. A
 * short one ends where the literal after it begins the first time; a long one where it begins the last time.
 */
export function matchPath(template: PathTemplate, path: string): Record<string, string> | undefined {
  const { literals, names } = template;
  const [first = ""] = literals;
  if (!path.startsWith(first)) return undefined;
  let at = first.length;
  const values: Record<string, string> = {};
  for (const [index, { name, isLong }] of names.entries()) {
    const next = literals[index + 1] ?? "";
    const isLast = index === names.length - 1;
    const end = endOf(path, at, next, { isLong, isLast });
    if (end <= at) return undefined;
    const value = path.slice(at, end);
    if (!isLong && value.includes("/")) return undefined;
    try {
      values[name] = decodeURIComponent(value);
    } catch {
      return undefined;
    }
    at = end + next.length;
  }
  return at === path.length ? values : undefined;
}

function endOf(
  path: string,
  at: number,
  next: string,
  { isLong, isLast }: { isLong: boolean; isLast: boolean },
): number {
  if (isLast) return path.endsWith(next) ? path.length - next.length : -1;
  return isLong ? path.lastIndexOf(next) : path.indexOf(next, at);
}
