import { InvalidRequest } from "../core/errors.ts";
import { type Parameter, text, type Values } from "./parameter.ts";

const DEFAULT_PAGE_SIZE = 200;
const MAX_PAGE_SIZE = 2_000;

const pageNumber = wholeNumber("From 1; `nextPage` wins.", 1, 1_000_000);

/** The parameters of a list. `nextPage` wins where `page` comes, too. */
export const paging = {
  nextPage: text("`Elements-Next-Page-Token` of the page before."),
  pageSize: wholeNumber("Entries of a page.", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE),
  page: {
    ...pageNumber,
    // Ignored when `nextPage` is sent.
    read: (query: URLSearchParams, name: string): number =>
      query.has("nextPage") ? 1 : pageNumber.read(query, name),
  },
};

/** What a list call asks for. */
export type Paging = Values<typeof paging>;

/** Headers that go with a page. */
export const pagingHeaders = {
  "Elements-Returned-Count": "Entries of this page",
  "Elements-Next-Page-Token": "For `nextPage`; absent after the last page",
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
