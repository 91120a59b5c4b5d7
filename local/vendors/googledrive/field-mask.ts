import { DriveError } from "./errors.ts";

/**
 * A parsed `fields` parameter: the selected names, each with its own mask for the fields inside; `*`
 * selects all.
 */
export interface FieldMask {
  readonly [name: string]: FieldMask;
}

const EVERYTHING: FieldMask = {};

/**
 * Parses `nextPageToken,files(id,owners/displayName)`.
 * https://developers.google.com/workspace/drive/api/guides/fields-parameter
 * @throws {DriveError} the text is malformed
 */
export function parseFields(text: string): FieldMask {
  let at = 0;
  const parseList = (depth: number): FieldMask => {
    const mask: Record<string, FieldMask> = {};
    for (;;) {
      merge(mask, parsePath(depth));
      if (text[at] !== ",") return mask;
      at += 1;
    }
  };
  const parsePath = (depth: number): FieldMask => {
    const name = /^\s*(\*|[A-Za-z][\w-]*)\s*/.exec(text.slice(at));
    if (name?.[1] === undefined || depth > 20) throw invalidSelection(text);
    at += name[0].length;
    let inside = EVERYTHING;
    if (text[at] === "/") {
      at += 1;
      inside = parsePath(depth + 1);
    } else if (text[at] === "(") {
      at += 1;
      inside = parseList(depth + 1);
      if (text[at] !== ")") throw invalidSelection(text);
      at += 1;
      at += /^\s*/.exec(text.slice(at))?.[0].length ?? 0;
    }
    return { [name[1]]: inside };
  };
  const mask = parseList(0);
  if (at !== text.length) throw invalidSelection(text);
  return mask;
}

/** The parts of a value that a mask selects. */
export function applyFields(value: unknown, mask: FieldMask): unknown {
  if (Array.isArray(value)) return value.map((each) => applyFields(each, mask));
  if (mask["*"] !== undefined || Object.keys(mask).length === 0) return value;
  if (typeof value !== "object" || value === null) return value;
  const selected: Record<string, unknown> = {};
  for (const [name, inside] of Object.entries(mask)) {
    const part = (value as Record<string, unknown>)[name];
    if (part !== undefined) selected[name] = applyFields(part, inside);
  }
  return selected;
}

/** @throws {DriveError} the mask names a field that the resource does not have */
export function checkFields(mask: FieldMask, known: ReadonlySet<string>): void {
  const unknown = Object.keys(mask).find((name) => name !== "*" && !known.has(name));
  if (unknown !== undefined) throw invalidSelection(unknown);
}

function merge(target: Record<string, FieldMask>, source: FieldMask): void {
  for (const [name, inside] of Object.entries(source)) {
    const before = target[name];
    target[name] = before === undefined ? inside : { ...before, ...inside };
  }
}

function invalidSelection(name: string): DriveError {
  return new DriveError(400, "invalidParameter", `Invalid field selection ${name}`, { parameter: "fields" });
}
