import { InvalidRequest } from "../core/errors.ts";
import type { Paging } from "../http/paging.ts";
import { type HttpRequest, type HttpResponse, json } from "../http/request.ts";

/**
 * A page of a list of the catalogue. Its `nextPage` is not sealed, unlike in other lists: everybody may read
 * these lists, and the token holds only the path of the list and the position of the next page.
 */
export function cataloguePage<T, Shown = T>(
  request: HttpRequest,
  { pageSize, page, nextPage }: Paging,
  all: readonly T[],
  show: (value: T) => Shown,
): HttpResponse<readonly Shown[]> {
  const from = nextPage === undefined ? (page - 1) * pageSize : positionIn(request, nextPage);
  const shown = all.slice(from, from + pageSize).map(show);
  const next = from + pageSize;
  return json(shown, {
    "Elements-Returned-Count": String(shown.length),
    "Elements-Total-Count": String(all.length),
    ...(next < all.length ? { "Elements-Next-Page-Token": tokenOf(request, next) } : {}),
  });
}

function tokenOf({ path }: HttpRequest, position: number): string {
  return Buffer.from(JSON.stringify([path, position])).toString("base64url");
}

/** @throws {InvalidRequest} the token is invented, or belongs to another list */
function positionIn(request: HttpRequest, token: string): number {
  const text = Buffer.from(token, "base64url").toString("utf8");
  const position = Number(/,(\d{1,9})\]$/.exec(text)?.[1]);
  if (tokenOf(request, position) === token) return position;
  throw new InvalidRequest("nextPage is not valid: it does not belong to this list", "nextPage");
}
