import type { PageTokens } from "../page-token.ts";
import type { SwitchBoard } from "./switches.ts";

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Absent on the last page. */
  readonly next?: string;
}

interface Position {
  readonly list: string;
  readonly after: number;
  /** The page before this one was an empty page. */
  readonly wasEmpty?: true;
}

const SHORT_PAGE = 2;

/** Makes pages whose places are opaque tokens. */
export class TokenPages {
  readonly #tokens: PageTokens;
  readonly #switches: SwitchBoard;

  constructor(tokens: PageTokens, switches: SwitchBoard) {
    this.#tokens = tokens;
    this.#switches = switches;
  }

  /**
   * @param list names the list with its filters; a token of another list is not accepted
   * @param token the token of the page before; undefined or empty: the first page
   * @returns undefined if the token is not one of this list
   */
  page<Item>(
    list: string,
    all: readonly Item[],
    token: string | undefined,
    size: number,
  ): Page<Item> | undefined {
    const isFirst = token === undefined || token === "";
    const position = isFirst ? { list, after: 0 } : this.#tokens.open<Position>(token);
    if (position === undefined || position.list !== list) return undefined;
    const { after } = position;
    const { pages } = this.#switches.state;
    if (pages === "empty" && position.wasEmpty !== true && after < all.length) {
      return { items: [], next: this.#tokens.seal({ list, after, wasEmpty: true }) };
    }
    const end = after + (pages === "full" ? size : Math.min(size, SHORT_PAGE));
    const items = all.slice(after, end);
    return end < all.length ? { items, next: this.#tokens.seal({ list, after: end }) } : { items };
  }
}

/** A page that begins at a number of items: a list with `offset` and `limit`. */
export function offsetPage<Item>(
  all: readonly Item[],
  offset: number,
  limit: number,
): {
  readonly total_count: number;
  readonly entries: readonly Item[];
  readonly offset: number;
  readonly limit: number;
} {
  return { total_count: all.length, entries: all.slice(offset, offset + limit), offset, limit };
}
