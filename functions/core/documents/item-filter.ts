import { InvalidRequest } from "../errors.ts";
import { type Comparison, fieldsOf, parseWhere, type Value, type Where } from "./ceql.ts";
import { type DocumentsItem, extensionOf } from "./item.ts";
import { foldCase, likeTest } from "./like.ts";

export type ItemTest = (item: DocumentsItem) => boolean;

type Kind = "text" | "folded" | "number" | "date" | "boolean";

interface Field {
  readonly kind: Kind;
  readonly read: (item: DocumentsItem) => Value | undefined;
}

/** The fields by which lists can be filtered and sorted. `folded`: case does not count. */
const fields: Readonly<Record<string, Field>> = {
  name: { kind: "text", read: ({ name }) => name },
  path: { kind: "text", read: ({ path }) => path },
  extension: { kind: "folded", read: (item) => (item.directory ? undefined : extensionOf(item.name)) },
  mimeType: { kind: "folded", read: ({ mimeType }) => mimeType },
  size: { kind: "number", read: (item) => (item.directory ? undefined : item.size) },
  directory: { kind: "boolean", read: ({ directory }) => directory },
  createdDate: { kind: "date", read: ({ createdDate }) => time(createdDate) },
  modifiedDate: { kind: "date", read: ({ modifiedDate }) => time(modifiedDate) },
  id: { kind: "text", read: ({ id }) => id },
};

/**
 * Compiles `where=` into a test of items.
 * @throws {InvalidRequest} with the field `where`: it cannot be read, uses an unknown field, or compares a size
 *   with a text
 */
export function whereTest(text: string): ItemTest {
  const where = parseWhere(text);
  for (const name of fieldsOf(where)) findField(name, "where");
  return compile(where);
}

export interface OrderBy {
  readonly field: string;
  readonly descending: boolean;
}

/** @throws {InvalidRequest} with the field `orderBy` */
export function parseOrderBy(text: string): OrderBy {
  const [, name = "", direction = "asc"] = /^\s*([\w.]+)(?:\s+(asc|desc))?\s*$/i.exec(text) ?? [];
  if (name === "")
    throw new InvalidRequest("orderBy is a field, then asc or desc: orderBy=name desc", "orderBy");
  findField(name, "orderBy");
  return { field: name, descending: direction.toLowerCase() === "desc" };
}

/**
 * Sorts by a field. Items without the field come last; equal items are sorted by name, then id, so that the order is the same
 * for each page.
 */
export function compareBy({ field, descending }: OrderBy): (a: DocumentsItem, b: DocumentsItem) => number {
  const { read } = findField(field, "orderBy");
  return (a, b) => {
    const [left, right] = [read(a), read(b)];
    if (left === undefined || right === undefined) {
      if (left !== right) return left === undefined ? 1 : -1;
    } else {
      const order =
        typeof left === "string" ? compareText(left, String(right)) : Number(left) - Number(right);
      if (order !== 0) return descending ? -order : order;
    }
    return compareText(a.name, b.name) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  };
}

/** A fixed locale instead of the machine's, because two functions must sort in the same way. */
const collator = new Intl.Collator("en", { numeric: true });

function compareText(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

function findField(name: string, parameter: "where" | "orderBy"): Field {
  // Old clients write `properties.mimeType`, as in the answer.
  const plain = name.replace(/^properties\./, "");
  const key = Object.keys(fields).find((each) => each.toLowerCase() === plain.toLowerCase());
  const field = key === undefined ? undefined : fields[key];
  if (field === undefined) {
    throw new InvalidRequest(
      `${parameter} names the field ${JSON.stringify(name.slice(0, 50))}; there are ${Object.keys(fields).join(", ")}`,
      parameter,
    );
  }
  return field;
}

function compile(where: Where): ItemTest {
  switch (where.kind) {
    case "and": {
      const tests = where.terms.map(compile);
      return (item) => tests.every((test) => test(item));
    }
    case "or": {
      const tests = where.terms.map(compile);
      return (item) => tests.some((test) => test(item));
    }
    case "null": {
      const { read } = findField(where.field, "where");
      return (item) => (read(item) === undefined) !== where.negated;
    }
    case "in": {
      const tests = where.values.map((value) => comparison(where.field, "=", value));
      return (item) => tests.some((test) => test(item));
    }
    case "compare":
      return comparison(where.field, where.operator, where.value);
  }
}

function comparison(name: string, operator: Comparison, value: Value): ItemTest {
  const { kind, read } = findField(name, "where");
  if (operator === "LIKE") {
    const matches = likeTest(String(value));
    return (item) => {
      const found = read(item);
      return found !== undefined && matches(foldedOnce(item, name, String(found)));
    };
  }
  const wanted = coerce(name, kind, value);
  return (item) => {
    const read1 = read(item);
    if (read1 === undefined) return operator === "!=";
    const found = kind === "folded" ? String(read1).toLowerCase() : read1;
    switch (operator) {
      case "=":
        return found === wanted;
      case "!=":
        return found !== wanted;
      case "<":
        return found < wanted;
      case ">":
        return found > wanted;
      case "<=":
        return found <= wanted;
      case ">=":
        return found >= wanted;
    }
  };
}

const folded = new WeakMap<DocumentsItem, Map<string, string>>();

/** Folds each field of an item only once: an expression may use one field a hundred times. */
function foldedOnce(item: DocumentsItem, field: string, text: string): string {
  const known = folded.get(item) ?? new Map<string, string>();
  folded.set(item, known);
  const value = known.get(field) ?? foldCase(text);
  known.set(field, value);
  return value;
}

/** Converts a literal to the field's type: `directory='true'` is quoted, dates are texts. */
function coerce(name: string, kind: Kind, value: Value): Value {
  switch (kind) {
    case "text":
      return String(value);
    case "folded":
      return String(value).toLowerCase().replace(/^\./, "");
    case "number": {
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      if (typeof number === "number" && Number.isFinite(number)) return number;
      throw new InvalidRequest(`where compares ${name} with something that is not a number`, "where");
    }
    case "date": {
      const at = typeof value === "number" ? value : timeInQuery(String(value));
      if (at !== undefined) return at;
      throw new InvalidRequest(`where compares ${name} with something that is not an ISO 8601 date`, "where");
    }
    case "boolean": {
      const text = String(value).toLowerCase();
      if (text === "true" || text === "false") return text === "true";
      throw new InvalidRequest(
        `where compares ${name} with something that is neither true nor false`,
        "where",
      );
    }
  }
}

/** A time that a client sent in a query. If it did not encode the `+` of an offset, a blank has taken its place. */
export function timeInQuery(date: string): number | undefined {
  return time(date.replace(/(T[\d:.]{4,20}) (?=\d{2}:?\d{2}$)/, "$1+"));
}

/** Milliseconds of a date, cut to whole seconds, because dates are shown so. */
export function time(date: string | undefined): number | undefined {
  if (date === undefined) return undefined;
  const at = Date.parse(date);
  return Number.isNaN(at) ? undefined : Math.floor(at / 1000) * 1000;
}
