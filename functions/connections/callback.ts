import { randomBytes } from "node:crypto";
import { findConnector } from "../connectors/catalogue.ts";
import type { Connector } from "../connectors/define-connector.ts";
import { cutSecrets } from "../core/cut-secrets.ts";
import type { ErrorCode } from "../core/error-codes.ts";
import { InvalidRequest, LinkspanError, NotFound } from "../core/errors.ts";
import { holdSignIn } from "../core/grant/pending/hold-sign-in.ts";
import { refusePending } from "../core/grant/pending/refuse-pending.ts";
import type { OAuthClient } from "../core/instances/instance.ts";
import { checkIssuer } from "../core/oauth/authorization-response.ts";
import {
  type ConsumedAuthorization,
  consumeAuthorization,
  findAuthorization,
} from "../core/oauth/pending-authorization.ts";
import { signInEndpoint } from "../core/oauth/sign-in-endpoint.ts";
import { present } from "../core/present.ts";
import { hashSecret } from "../core/secret-hash.ts";
import { providerMessage } from "../http/provider-message.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import { activeOwner } from "./active-owner.ts";
import { type Destination, keptCallback, onceForState, sameLocation } from "./callback-once.ts";
import { clientOf } from "./change-instance.ts";
import { returnTo } from "./connect-page.ts";
import { type ConnectSession, openSessionConfiguration, SESSION_MS, sessionItem } from "./connect-session.ts";
import { mayComeAgain } from "./create-instance.ts";
import type { ConnectionDeps } from "./deps.ts";
import { forwardCode } from "./forward-code.ts";
import { extraOf } from "./instance-body.ts";
import { asHtmlPage, redirect } from "./page.ts";
import { isSessionBrowser, otherBrowser, renewedCookie } from "./session-browser.ts";

/**
 * GET /oauth/callback/{connector}: the vendor sends the user back. First checks state, connector and browser;
 * until they are right, the state is not consumed and the app gets nothing. Then consumes the state, also for
 * a denial, before the code is exchanged. For 10 minutes, the same browser with the same state is sent to the
 * same URL.
 */
export function takeCallback(deps: () => ConnectionDeps): HttpHandler {
  return asHtmlPage(async (request) => {
    const connector = await findConnector(decodeSegment(request, "connector"));
    if (connector === undefined) throw new NotFound("This callback address does not exist");
    request.logContext.connector = connector.key;
    const state = request.query.get("state") ?? "";
    const again = await answerOfEarlierDelivery(deps(), request, connector, state);
    if (again !== undefined) return again;
    const stateHash = hashSecret(state);
    const waiting = await findAuthorization(deps(), stateHash, codeOrError(request));
    if (waiting?.flow === "proxied" && waiting.connector === connector.key)
      return await forwardCode(deps(), request, connector, waiting, stateHash);
    let session: ConnectSession;
    try {
      session = await waitingSession(deps(), request, connector, waiting);
    } catch (error) {
      // The first delivery may have ended between the two reads.
      const same = await answerOfEarlierDelivery(deps(), request, connector, state);
      if (same === undefined) throw error;
      return same;
    }
    const { organizationId, sessionId, browser = "" } = session;
    const owner = { organizationId, sessionId, browser, connector: connector.key };
    const work = () => destination(deps(), request, connector, session, state);
    return toApp(request, session, await onceForState(deps(), request, state, owner, work));
  });
}

/** The answer of another delivery of this callback. @returns undefined: there is no other delivery */
async function answerOfEarlierDelivery(
  deps: ConnectionDeps,
  request: HttpRequest,
  connector: Connector,
  state: string,
): Promise<HttpResponse<never> | undefined> {
  const earlier = await keptCallback(deps, state);
  if (earlier === undefined) return undefined;
  if (earlier.connector !== connector.key) throw unknownState();
  if (!isSessionBrowser(request, earlier)) throw otherBrowser();
  return toApp(request, earlier, await sameLocation(deps, request, earlier, state));
}

/** Redirects to the app and renews the session's cookie, so that the browser can repeat the callback or start again. */
function toApp(
  request: HttpRequest,
  { sessionId }: Pick<ConnectSession, "sessionId">,
  location: string,
): HttpResponse<never> {
  const cookie = renewedCookie(request, sessionId);
  return redirect(location, cookie === undefined ? {} : { "Set-Cookie": cookie });
}

/**
 * The session that waits for this callback. Does not consume the state.
 * @throws {InvalidRequest} no session waits for this state and connector
 * @throws {Forbidden} the session belongs to another browser
 * @throws {NotFound} the session's user or organization is suspended
 */
async function waitingSession(
  deps: ConnectionDeps,
  request: HttpRequest,
  connector: Connector,
  waiting: Awaited<ReturnType<typeof findAuthorization>>,
): Promise<ConnectSession> {
  if (waiting?.flow !== "hosted" || waiting.sessionId === undefined || waiting.connector !== connector.key) {
    throw unknownState();
  }
  const session = await deps.transients.get<ConnectSession>(sessionItem(waiting.sessionId));
  if (session !== undefined && !isSessionBrowser(request, session)) throw otherBrowser();
  request.logContext.organizationId = waiting.organizationId;
  request.logContext.userId = waiting.userId;
  if (session?.status !== "open") {
    throw new InvalidRequest("This sign-in took too long, or was finished already", "state", "session_over");
  }
  if (session.instanceId !== undefined) request.logContext.instanceId = session.instanceId;
  // Checked before the exchange: an unused code leaves no grant at the vendor.
  await activeOwner(deps.tenants, session);
  return session;
}

function unknownState(): InvalidRequest {
  return new InvalidRequest(
    "This sign-in is unknown, was used already, or took too long",
    "state",
    "invalid_state",
  );
}

/** The code or the error that the vendor sent with the state. */
function codeOrError({ query }: HttpRequest): string {
  return query.get("code") ?? query.get("error") ?? "";
}

/**
 * The URL to which the browser goes: the app's, with a claim or an error. If the code may still be unused,
 * puts the state back.
 */
async function destination(
  deps: ConnectionDeps,
  request: HttpRequest,
  connector: Connector,
  session: ConnectSession,
  state: string,
): Promise<Destination> {
  const stores = { transients: deps.transients, vault: deps.grants.vault };
  const authorization = await consumeAuthorization(stores, hashSecret(state), codeOrError(request));
  if (authorization === undefined) throw unknownState();
  try {
    const code = codeOf(request, connector);
    const { claim, missing } = await connect(deps, request, connector, authorization, session, code);
    const location = returnTo(session, { session: session.sessionId, claim, ...missing });
    return { location, mayTryAgain: false };
  } catch (error) {
    const mayTryAgain = mayComeAgain(error);
    if (mayTryAgain) await authorization.putBack().catch(() => {});
    if (!(error instanceof LinkspanError)) throw error;
    request.logContext.code = error.code;
    const description = providerMessage(error);
    const location = returnTo(session, {
      session: session.sessionId,
      error: error.code,
      ...present({ error_description: description }),
    });
    return { location, mayTryAgain };
  }
}

/** The authorization code of the callback. @throws {LinkspanError} with the error code for the app */
function codeOf(request: HttpRequest, connector: Connector): string {
  const { query } = request;
  checkIssuer(connector, query.get("iss") ?? undefined);
  const error = query.get("error");
  // RFC 6749 section 4.1.2.1; the vendor's `error_description` goes into the app's URL as text, never as a code.
  if (error !== null) {
    throw new InvalidRequest(
      `${connector.name} answered ${error}`,
      "error",
      // This error code goes into the app's return URL, where `error` may be a vendor's code, too.
      (/^[a-z_]{1,64}$/.test(error) ? error : "vendor_error") as ErrorCode,
      { vendor: { error_description: cutSecrets(query.get("error_description") ?? "", []) } },
    );
  }
  const code = query.get("code");
  if (code === null) throw new InvalidRequest("the vendor sent no code", "code", "invalid_response");
  return code;
}

/** Exchanges the code, stores the grant as a pending sign-in until the claim, and makes the claim. */
async function connect(
  deps: ConnectionDeps,
  request: HttpRequest,
  connector: Connector,
  authorization: ConsumedAuthorization,
  session: ConnectSession,
  code: string,
): Promise<{ claim: string; missing: Record<string, string> }> {
  const { grants, transients } = deps;
  const endsAt = transients.now() + SESSION_MS;
  const exchange = await exchangeOf(deps, request, connector, authorization, session);
  const held = await holdSignIn(grants, transients, { ...exchange, code, endsAt }, request);
  const { instanceId, epoch } = held.key;
  request.logContext.instanceId = instanceId;

  const claim = randomBytes(32).toString("base64url");
  const connected: ConnectSession = {
    ...session,
    status: "connected",
    pending: { instanceId, epoch, claim: hashSecret(claim) },
    expiresAt: endsAt,
  };
  const isConnected =
    (await transients.replace(connected, { field: "status", seen: "open" })) ||
    (await isOwn(deps, connected));
  if (!isConnected) {
    // Another sign-in of the same session, in another tab, has ended first.
    await refusePending(grants, held.key, !session.reauthenticates);
    throw new InvalidRequest("this session was finished already", "state", "session_over");
  }
  const { missingScopes } = held;
  return { claim, missing: missingScopes.length === 0 ? {} : { missing_scopes: missingScopes.join(" ") } };
}

/** The values for the exchange of the code, and the new or existing instance that gets the grant. */
async function exchangeOf(
  deps: ConnectionDeps,
  request: HttpRequest,
  connector: Connector,
  authorization: ConsumedAuthorization,
  session: ConnectSession,
) {
  const { organizationId, userId, sessionId, configuration } = session;
  const secretConfiguration = await openSessionConfiguration(deps, session);
  const client = await clientFor(deps, authorization, session, secretConfiguration);
  const brought = [...request.query].filter(([name]) => !CALLBACK_OWN.has(name));
  const extra = extraOf(connector, Object.fromEntries(brought), configuration);
  const organization = await deps.tenants.organization(organizationId);
  const { endpoint, server } = await signInEndpoint(deps.discover, connector, configuration, {
    captured: extra ?? {},
    vendorHosts: organization?.vendorHosts,
  });
  checkIssuer(connector, request.query.get("iss") ?? undefined, "iss", server);
  const { redirectUri, codeVerifier, askedScopes, epoch } = authorization;
  const name = session.name ?? connector.name;
  return {
    organizationId,
    userId,
    connector,
    client,
    redirectUri,
    ...present({ codeVerifier, askedScopes, extra, endpoint }),
    configuration: { ...configuration, "oauth.callback.url": redirectUri },
    epoch,
    sessionId,
    into:
      session.reauthenticates && session.instanceId !== undefined
        ? { instanceId: session.instanceId }
        : { name, tags: session.tags?.length ? session.tags : [name], secretConfiguration },
  };
}

/**
 * Whether the stored session has this invocation's claim: the SDK repeats a write whose answer was lost, and
 * the condition of the repeated write does not hold.
 */
async function isOwn({ transients }: ConnectionDeps, { id, pending }: ConnectSession): Promise<boolean> {
  const now = await transients.get<ConnectSession>(id);
  return now?.pending !== undefined && now.pending.claim === pending?.claim;
}

/**
 * Redirect parameters that are not kept with the grant: parameters of the protocol, and of the vendor's
 * sign-in page (`prompt`, `authuser`, …).
 */
const CALLBACK_OWN = new Set([
  "code",
  "state",
  "iss",
  "scope",
  "error",
  "authuser",
  "prompt",
  "hd",
  "session_state",
]);

async function clientFor(
  deps: ConnectionDeps,
  authorization: ConsumedAuthorization,
  session: ConnectSession,
  secretConfiguration: Readonly<Record<string, string>>,
): Promise<OAuthClient> {
  if (authorization.appId !== undefined) return { kind: "registered", appId: authorization.appId };
  const secret = secretConfiguration["oauth.api.secret"];
  if (secret !== undefined) return { kind: "own", id: authorization.clientId, secret };
  const { value: instance } =
    session.instanceId === undefined
      ? { value: undefined }
      : await deps.grants.instances.get(session.instanceId);
  if (instance === undefined) throw new NotFound("the instance was deleted", "unknown_instance");
  return await clientOf(deps, instance);
}
