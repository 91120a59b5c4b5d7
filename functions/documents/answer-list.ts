import { type DocumentsItem, toWire, type WireItem } from "../core/documents/item.ts";
import type { ListPage } from "../core/documents/list-page.ts";
import type { ListOptions } from "../core/documents/lists.ts";
import type { ListCall } from "../core/documents/next-page.ts";
import { present } from "../core/present.ts";
import type { Values } from "../http/parameter.ts";
import { type HttpResponse, json } from "../http/request.ts";
import type { OpenHub } from "./open-hub.ts";
import { type list as parameters, wireOptions } from "./parameters.ts";

const DEFAULT_PAGE_SIZE = 200;

type ListQuery = Values<typeof parameters>;

/** A page of a list with items of any type. */
export interface AnyPage<T> extends Omit<ListPage, "items"> {
  readonly items: readonly T[];
}

/** The page of a list that is known as a whole. */
export function pageOfAll<T>(
  all: readonly T[],
  { from, page, pageSize }: Pick<ListOptions, "from" | "page" | "pageSize">,
): AnyPage<T> {
  const start = from?.skip ?? (page - 1) * pageSize;
  const end = start + pageSize;
  return {
    items: all.slice(start, end),
    ...(end < all.length ? { next: { skip: end, part: pageSize } } : {}),
    total: all.length,
  };
}

/**
 * Calls `list` and answers its page with the paging headers.
 * @param call the route and all parameters that determine the list: a `nextPage` token is valid only for the
 * same call
 */
export async function answerList(
  query: ListQuery,
  hub: OpenHub,
  call: ListCall,
  list: (options: ListOptions) => Promise<ListPage>,
): Promise<HttpResponse<readonly WireItem[]>> {
  const shown = wireOptions(query);
  const show = (item: DocumentsItem) => toWire(item, shown);
  return await answerPages(query, hub, call, list, show);
}

/** Like `answerList`, for lists with other entries than files and folders. */
export async function answerPages<T, Shown>(
  query: ListQuery,
  hub: OpenHub,
  call: ListCall,
  list: (options: ListOptions) => Promise<AnyPage<T>>,
  show: (item: T) => Shown,
): Promise<HttpResponse<readonly Shown[]>> {
  const { where, orderBy, pageSize = DEFAULT_PAGE_SIZE, page = 1, nextPage } = query;
  // Another member's files, or another site's, are another list.
  const { member, subsite } = hub.call.instance;
  const bound = { ...call, where, orderBy, member, subsite };
  const found = await list({
    pageSize,
    page,
    ...(nextPage === undefined ? {} : { from: await hub.nextPages.open(bound, nextPage) }),
    ...present({ where, orderBy }),
    withoutPath: wireOptions(query).withoutPath ?? false,
  });
  return json(found.items.map(show), {
    "Elements-Returned-Count": String(found.items.length),
    ...(found.total === undefined ? {} : { "Elements-Total-Count": String(found.total) }),
    ...(found.incomplete === true ? { "Elements-Incomplete": "true" } : {}),
    ...(found.next === undefined
      ? {}
      : { "Elements-Next-Page-Token": await hub.nextPages.seal(bound, found.next) }),
  });
}
