import { type DocumentsItem, toWire } from "../core/documents/item.ts";
import type { ListPage } from "../core/documents/list-page.ts";
import type { ListOptions } from "../core/documents/lists.ts";
import type { ListCall } from "../core/documents/next-page.ts";
import { present } from "../core/present.ts";
import { type HttpRequest, type HttpResponse, json } from "../http/request.ts";
import type { OpenHub } from "./open-hub.ts";
import { wholeNumber, wireOptions } from "./request-parameters.ts";

const DEFAULT_PAGE_SIZE = 200;
const MAX_PAGE_SIZE = 2000;
const MAX_PAGE = 1_000_000;

/** What a list of anything shows of itself. */
export interface AnyPage<T> extends Omit<ListPage, "items"> {
  readonly items: readonly T[];
}

/**
 * Reads the parameters of a list, has it made, and answers it with the paging headers.
 * @param call the route and all that decides what the list holds: a `nextPage` token is good for nothing else
 */
export async function answerList(
  request: HttpRequest,
  hub: OpenHub,
  call: ListCall,
  list: (options: ListOptions) => Promise<ListPage>,
): Promise<HttpResponse> {
  const shown = wireOptions(request);
  const show = (item: DocumentsItem) => toWire(item, shown);
  return answerPages(request, hub, call, list, show);
}

/** The same for lists of other things than items. */
export async function answerPages<T>(
  request: HttpRequest,
  hub: OpenHub,
  call: ListCall,
  list: (options: ListOptions) => Promise<AnyPage<T>>,
  show: (item: T) => unknown,
): Promise<HttpResponse> {
  const where = request.query.get("where") ?? undefined;
  const orderBy = request.query.get("orderBy") ?? undefined;
  const bound = { ...call, where, orderBy };
  const pageSize = wholeNumber(request, "pageSize", { min: 1, max: MAX_PAGE_SIZE }) ?? DEFAULT_PAGE_SIZE;
  const page = wholeNumber(request, "page", { min: 1, max: MAX_PAGE }) ?? 1;
  const token = request.query.get("nextPage");
  const found = await list({
    pageSize,
    page,
    ...(token === null ? {} : { from: await hub.nextPages.open(bound, token) }),
    ...present({ where, orderBy }),
    withoutPath: wireOptions(request).withoutPath ?? false,
  });
  return json(found.items.map(show), {
    "Elements-Returned-Count": String(found.items.length),
    ...(found.total === undefined ? {} : { "Elements-Total-Count": String(found.total) }),
    ...(found.next === undefined
      ? {}
      : { "Elements-Next-Page-Token": await hub.nextPages.seal(bound, found.next) }),
  });
}
