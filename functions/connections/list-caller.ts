import { LinkspanError } from "../core/errors.ts";
import type { User } from "../core/tenants/ports.ts";
import { authorizePlatform } from "../http/authorize.ts";
import type { HttpRequest } from "../http/request.ts";
import type { ConnectionDeps } from "./deps.ts";
import { hasInstanceToken, isPlatformCall, type OwnInstance, ownInstance } from "./own-instance.ts";

/** With one of these parameters, a call asks for a list even if it has an instance token. */
const LIST_PARAMETERS = ["tags[]", "tags", "searchText", "pageSize", "page", "nextPage"];

/** The user whose instances are to be listed, or the one instance of the token. */
export type ListCaller = { readonly user: User } | { readonly one: OwnInstance };

/** @throws {Unauthorized} the request has neither valid user secrets nor a valid instance token */
export async function listCaller(deps: ConnectionDeps, request: HttpRequest): Promise<ListCaller> {
  if (wantsOne(request)) {
    try {
      return { one: await ownInstance(deps, request, "use") };
    } catch (error) {
      // With a user's secrets, ignores an invalid token, such as the token of a deleted instance.
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
