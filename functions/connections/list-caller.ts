import { LinkspanError } from "../core/errors.ts";
import type { User } from "../core/tenants/ports.ts";
import { authorizePlatform } from "../http/authorize.ts";
import type { HttpRequest } from "../http/request.ts";
import type { ConnectionDeps } from "./deps.ts";
import { hasInstanceToken, isPlatformCall, type OwnInstance, ownInstance } from "./own-instance.ts";

/** With these, a call with an instance token still asks for a list. */
const LIST_PARAMETERS = ["tags[]", "tags", "searchText", "pageSize", "page", "nextPage"];

/** The user whose list is asked for, or the one instance of the token. */
export type ListCaller = { readonly user: User } | { readonly one: OwnInstance };

/** @throws {Unauthorized} neither */
export async function listCaller(deps: ConnectionDeps, request: HttpRequest): Promise<ListCaller> {
  if (wantsOne(request)) {
    try {
      return { one: await ownInstance(deps, request, "use") };
    } catch (error) {
      // The token of a deleted instance beside a user's secrets does not count.
      if (!isPlatformCall(request) || !(error instanceof LinkspanError) || error.status === 503) throw error;
    }
  }
  return { user: (await authorizePlatform(request, deps.tenants)).user };
}

function wantsOne(request: HttpRequest): boolean {
  if (!hasInstanceToken(request) || LIST_PARAMETERS.some((name) => request.query.has(name))) return false;
  // Below an element a user's secrets always list; a token alone may see no more than its own instance.
  return request.params.keyOrId === undefined || !isPlatformCall(request);
}
