import * as v from "valibot";
import type { WireOptions } from "../core/documents/item.ts";
import { parsePath } from "../core/documents/path.ts";
import type { Named } from "../core/documents/resolve-path.ts";
import { InvalidRequest } from "../core/errors.ts";
import { flag, text, texts, wholeNumber } from "../http/parameter.ts";
import type { HttpRequest } from "../http/request.ts";

// What the hub's calls take beside the bytes.

export const path = { path: text("Absolute path, for the form without an id: `/reports/a.txt`.") };

const rawOnly = { raw: flag("The vendor's own answer goes along as `raw`.") };

/** How an item is shown. */
export const shown = {
  ...rawOnly,
  fields: texts("Only these members of each item."),
  calculateFolderPath: flag("`false` leaves `path` out, and saves what it costs."),
};

const paging = {
  pageSize: wholeNumber("Items of a page (200).", { min: 1, max: 2000 }),
  page: wholeNumber("From 1; `nextPage` wins.", { min: 1, max: 1_000_000 }),
  nextPage: text("`Elements-Next-Page-Token` of the page before: good for the same instance and call only."),
};

/** Of lists of items. */
export const list = {
  ...shown,
  where: text("A CEQL filter: `extension = 'pdf' AND size > 100000`."),
  orderBy: text("`size desc`; of at most 20,000 items."),
  ...paging,
};

export const overwrite = { overwrite: flag("What is there already is replaced.") };

/** `raw=true` alone. */
export const raw = rawOnly;

/** The file or folder of a call: by id in the path, else by `path` in the query. @throws {InvalidRequest} */
export function namedItem(request: HttpRequest, query: { readonly path: string | undefined }): Named {
  const { id } = request.params;
  if (id !== undefined) return { id };
  if (query.path === undefined)
    throw new InvalidRequest("path is missing: say which, for example ?path=/reports/a.txt", "path");
  return { path: parsePath(query.path) };
}

/** Turns the query values of `shown` into `WireOptions`. */
export function wireOptions(query: {
  readonly raw: boolean | undefined;
  readonly fields: readonly string[];
  readonly calculateFolderPath: boolean | undefined;
}): WireOptions {
  return {
    raw: query.raw ?? false,
    withoutPath: query.calculateFolderPath === false,
    ...(query.fields.length === 0 ? {} : { fields: query.fields }),
  };
}

const aText = v.string("it must be a text");
/** A numeric name is a string. */
const name = v.union([aText, v.pipe(v.number(), v.transform(String))], "it must be a text");
const tags = v.array(aText, "it must be a list of texts");

export const ItemBody = v.object({
  path: v.optional(aText),
  name: v.optional(name),
  description: v.optional(aText),
  tags: v.optional(tags),
});
export const CopyBody = v.object({ path: aText });

/** Header of an answer whose item lacks some of what was sent, because the vendor does not keep it. */
export const NOT_KEPT = "Elements-Not-Kept";

export function notKeptHeader(names: readonly string[]): Record<string, string> {
  return names.length === 0 ? {} : { [NOT_KEPT]: names.join(", ") };
}
