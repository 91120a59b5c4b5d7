import { InvalidRequest } from "../core/errors.ts";

/**
 * One parameter of a query: its reader and its documentation. Empty values are removed from the query before
 * it is read.
 */
export interface Parameter<T = unknown> {
  readonly description: string;
  /** The parameter's name in a URL, if it differs from the name here: `tags[]`. */
  readonly writtenAs?: string;
  /** JSON Schema of the value; for a list, of the whole list. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** @throws {InvalidRequest} naming the parameter */
  readonly read: (query: URLSearchParams, name: string) => T;
}

/** The parameters of a route's query, by name. Other parameters are ignored. */
export type Parameters = Readonly<Record<string, Parameter>>;

/** The values of a query. */
export type Values<P extends Parameters | undefined> = P extends Parameters
  ? { readonly [Name in keyof P]: P[Name] extends Parameter<infer T> ? T : never }
  : Readonly<Record<never, never>>;

/**
 * Reads a query in the order in which its parameters are declared.
 * @throws {InvalidRequest} naming the first invalid parameter
 */
export function readQuery<P extends Parameters>(parameters: P, query: URLSearchParams): Values<P> {
  const values = Object.entries(parameters).map(([name, { read }]) => [name, read(query, name)] as const);
  return Object.fromEntries(values) as Values<P>;
}

export function text(description: string): Parameter<string | undefined> {
  return { description, schema: { type: "string" }, read: (query, name) => query.get(name) ?? undefined };
}

export function flag(description: string): Parameter<boolean | undefined> {
  return {
    description,
    schema: { type: "boolean" },
    read(query, name) {
      const value = query.get(name)?.toLowerCase();
      if (value === undefined) return undefined;
      if (value === "true" || value === "false") return value === "true";
      throw new InvalidRequest(`${name} must be true or false`, name);
    },
  };
}

/** A whole number in decimal digits. */
export function wholeNumber(
  description: string,
  { min, max }: { readonly min: number; readonly max: number },
): Parameter<number | undefined> {
  return {
    description,
    schema: { type: "integer", minimum: min, maximum: max },
    read(query, name) {
      const text = query.get(name);
      if (text === null) return undefined;
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (value >= min && value <= max) return value;
      throw new InvalidRequest(`${name} must be a whole number from ${min} to ${max}`, name);
    },
  };
}

/**
 * A list, in each of the forms that client generators write: `tags[]=a&tags[]=b`, `tags[]=a,b` and `tags=a,b`. So no value
 * of a list in a query holds a comma; lists in JSON bodies are exact.
 * @param writtenAs the form that the documentation shows
 */
export function texts(description: string, writtenAs?: string): Parameter<readonly string[]> {
  return {
    description,
    ...(writtenAs === undefined ? {} : { writtenAs }),
    schema: { type: "array", items: { type: "string" } },
    read(query, name) {
      return [...query]
        .filter(([each]) => each === name || each === `${name}[]`)
        .flatMap(([, value]) => value.split(","))
        .map((value) => value.trim())
        .filter((value) => value !== "");
    },
  };
}
