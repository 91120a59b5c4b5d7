import { InvalidRequest } from "../core/errors.ts";
import { type Parameter, text, type Values } from "./parameter.ts";

const DEFAULT_PAGE_SIZE = 200;
const MAX_PAGE_SIZE = 2_000;

const pageNumber = wholeNumber("From 1; ignored if `nextPage` is sent.", 1, 1_000_000);

/** The parameters of a list. If both are sent, `nextPage` counts, and `page` is ignored. */
export const paging = {
  nextPage: text("`Elements-Next-Page-Token` of the previous page."),
  pageSize: wholeNumber("Number of entries on a page.", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE),
  page: {
    ...pageNumber,
    // Not read when `nextPage` is sent, so that an invalid `page` is no error then.
    read: (query: URLSearchParams, name: string): number =>
      query.has("nextPage") ? 1 : pageNumber.read(query, name),
  },
};

/** The paging parameters of a list call. */
export type Paging = Values<typeof paging>;

/** Headers of the answer with a page. */
export const pagingHeaders = {
  "Elements-Returned-Count": "Number of entries on this page",
  "Elements-Next-Page-Token": "Value for `nextPage`; absent on the last page",
} as const;

function wholeNumber(description: string, fallback: number, max: number): Parameter<number> {
  return {
    description,
    schema: { type: "integer", minimum: 1, maximum: max, default: fallback },
    read(query, name) {
      const text = query.get(name);
      if (text === null) return fallback;
      const value = Number(text);
      if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
      throw new InvalidRequest(`${name} is not right: a whole number from 1 to ${max}`, name);
    },
  };
}
