import { InvalidRequest } from "../core/errors.ts";
import type { HttpRequest } from "./request.ts";

const DEFAULT_PAGE_SIZE = 200;
const MAX_PAGE_SIZE = 2_000;

/** What a list call asks for. `nextPage` wins where both come. */
export interface Paging {
  readonly pageSize: number;
  /** From 1. */
  readonly page: number;
  readonly nextPage?: string;
}

/** @throws {InvalidRequest} naming the parameter */
export function readPaging({ query }: Pick<HttpRequest, "query">): Paging {
  const nextPage = query.get("nextPage");
  return {
    pageSize: wholeNumber(query, "pageSize", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE),
    page: nextPage === null ? wholeNumber(query, "page", 1, 1_000_000) : 1,
    ...(nextPage === null ? {} : { nextPage }),
  };
}

function wholeNumber(query: URLSearchParams, name: string, fallback: number, max: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
  throw new InvalidRequest(`${name} is not right: a whole number from 1 to ${max}`, name);
}
