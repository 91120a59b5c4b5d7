import type { Connector } from "../connectors/define-connector.ts";
import { cutSecrets } from "../core/cut-secrets.ts";
import { InvalidRequest, LinkspanError, NotFound } from "../core/errors.ts";
import { checkIssuer } from "../core/oauth/authorization-response.ts";
import { rememberForwarded } from "../core/oauth/forwarded-code.ts";
import { consumeAuthorization, type PendingAuthorization } from "../core/oauth/pending-authorization.ts";
import { isApplicationUrlAllowed } from "../core/tenants/allow-lists.ts";
import type { HttpRequest, HttpResponse } from "../http/request.ts";
import { activeOwner } from "./active-owner.ts";
import { addToQuery } from "./add-to-query.ts";
import type { ConnectionDeps } from "./deps.ts";
import { redirect } from "./page.ts";

/** Most values of a vendor's answer that are forwarded beside the code, and most characters of one. */
const MAX_VALUES = 20;
const MAX_CHARACTERS = 2_000;

/**
 * Most characters of the URL that the browser is sent to: below the 10,240 bytes that API Gateway allows all headers together.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
 */
const MAX_LOCATION = 8_000;

/** What ours alone may set in the app's URL. */
const PROTOCOL = new Set(["code", "state", "error", "error_description"]);

/**
 * The callback of an OAuth proxy: forwards the vendor's answer to the app's URL that the authorization URL was made for. The
 * URL comes from our own record, never from the request, and is compared with the proxy's list once more. The state is used
 * up; the same answer again is forwarded again.
 * @param waiting the authorization of the request's state
 * @throws {LinkspanError} shown on a page: nothing goes to the app where state, connector or list are not right
 */
export async function forwardCode(
  deps: ConnectionDeps,
  request: HttpRequest,
  connector: Connector,
  waiting: Omit<PendingAuthorization, "verifier">,
  stateHash: string,
): Promise<HttpResponse<never>> {
  const { organizationId, userId, appState = "", proxyId = 0 } = waiting;
  Object.assign(request.logContext, { organizationId, userId, action: "oauth_proxy.forward" });
  await activeOwner(deps.tenants, waiting);
  const proxy = await deps.proxies.get(organizationId, proxyId);
  if (proxy === undefined || !isApplicationUrlAllowed(proxy, appState)) {
    throw new NotFound("The app that began this sign-in is no longer known here");
  }
  const answer = request.query.get("code") ?? request.query.get("error") ?? "";
  const stores = { transients: deps.transients, vault: deps.grants.vault };
  const authorization = await consumeAuthorization(stores, stateHash, answer);
  if (authorization === undefined) throw usedUp();
  const outcome = outcomeOf(request, connector);
  if ("code" in outcome) {
    const { clientId, expiresAt } = authorization;
    const code = { connector: connector.key, clientId, code: outcome.code };
    await rememberForwarded(deps, code, { stateHash, expiresAt });
  } else {
    request.logContext.code = outcome.error;
  }
  return redirect(locationOf(request, appState, outcome));
}

type Outcome = { readonly code: string } | { readonly error: string; readonly error_description?: string };

/** The code, or an error in the form of RFC 6749 section 4.1.2.1. */
function outcomeOf(request: HttpRequest, connector: Connector): Outcome {
  const { query } = request;
  try {
    checkIssuer(connector, query.get("iss") ?? undefined);
  } catch (error) {
    if (error instanceof LinkspanError) return { error: error.code };
    throw error;
  }
  const error = query.get("error");
  if (error !== null) {
    const description = cutSecrets(query.get("error_description") ?? "", []).slice(0, MAX_CHARACTERS);
    return {
      error: /^[a-z_]{1,64}$/.test(error) ? error : "vendor_error",
      ...(description === "" ? {} : { error_description: description }),
    };
  }
  const code = query.get("code");
  return code === null ? { error: "invalid_response" } : { code };
}

/**
 * The app's URL with the outcome, the app's state, and what else the vendor sent that calls may need (`realmId`). The app's state
 * is the app's URL; but a URL that has a `state` of its own keeps that one. Values that the app's URL has already stay.
 */
function locationOf({ query }: HttpRequest, appUrl: string, outcome: Outcome): string {
  const url = new URL(appUrl);
  const own = url.searchParams;
  const state = own.has("state") ? {} : { state: appUrl };
  const others = [...query].filter(
    ([name, value]) => !PROTOCOL.has(name) && !own.has(name) && name.length + value.length <= MAX_CHARACTERS,
  );
  const added = new URLSearchParams({ ...outcome, ...state });
  for (const [name, value] of "code" in outcome ? others.slice(0, MAX_VALUES) : []) {
    const more = new URLSearchParams([[name, value]]).toString();
    if (url.href.length + added.toString().length + more.length < MAX_LOCATION) added.append(name, value);
  }
  return addToQuery(appUrl, added);
}

function usedUp(): InvalidRequest {
  return new InvalidRequest(
    "This sign-in is unknown, was used already, or took too long",
    "state",
    "invalid_state",
  );
}
