import * as v from "valibot";
import type { WireOptions } from "../core/documents/item.ts";
import { parsePath } from "../core/documents/path.ts";
import type { Named } from "../core/documents/resolve-path.ts";
import { InvalidRequest } from "../core/errors.ts";
import type { HttpRequest } from "../http/request.ts";

/** The file or folder of a call: by id in the path, else by `path` in the query. @throws {InvalidRequest} */
export function namedItem(request: HttpRequest): Named {
  const { id } = request.params;
  if (id !== undefined) return { id };
  const path = request.query.get("path");
  if (path === null)
    throw new InvalidRequest("path is missing: say which, for example ?path=/reports/a.txt", "path");
  return { path: parsePath(path) };
}

/** @throws {InvalidRequest} something other than true and false */
export function flag(request: HttpRequest, name: string): boolean | undefined {
  const value = request.query.get(name)?.toLowerCase();
  if (value === undefined) return undefined;
  if (value === "true" || value === "false") return value === "true";
  throw new InvalidRequest(`${name} is true or false`, name);
}

/** A whole number in decimal digits. @throws {InvalidRequest} naming it */
export function wholeNumber(
  request: HttpRequest,
  name: string,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  const text = request.query.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) return value;
  throw new InvalidRequest(`${name} is a whole number from ${range.min} to ${range.max}`, name);
}

/** `tags[]=a&tags[]=b`, and `tags=a,b` as some clients write it. */
export function texts(request: HttpRequest, name: string): string[] {
  const several = request.query.getAll(`${name}[]`);
  const joined = request.query.getAll(name).flatMap((value) => value.split(","));
  return [...several, ...joined].map((value) => value.trim()).filter((value) => value !== "");
}

/** How items are shown: `raw`, `fields`, `calculateFolderPath`. */
export function wireOptions(request: HttpRequest): WireOptions {
  const fields = texts(request, "fields");
  return {
    raw: flag(request, "raw") ?? false,
    withoutPath: flag(request, "calculateFolderPath") === false,
    ...(fields.length === 0 ? {} : { fields }),
  };
}

const text = v.string("it must be a text");
/** A numeric name is a string. */
const name = v.union([text, v.pipe(v.number(), v.transform(String))], "it must be a text");
const tags = v.array(text, "it must be a list of texts");

export const changesBody = v.object({
  path: v.optional(text),
  name: v.optional(name),
  description: v.optional(text),
  tags: v.optional(tags),
});
export const folderBody = v.object({
  path: v.optional(text),
  name: v.optional(name),
  description: v.optional(text),
  tags: v.optional(tags),
});
export const copyBody = v.object({ path: text });
