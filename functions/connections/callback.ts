import { randomBytes } from "node:crypto";
import { findConnector } from "../connectors/catalogue.ts";
import type { Connector } from "../connectors/define-connector.ts";
import { InvalidRequest, LinkspanError, NotFound } from "../core/errors.ts";
import { markForDeletion } from "../core/grant/revocation/delete-instance.ts";
import { provisionInstance } from "../core/grant/sign-in/first-exchange.ts";
import { signInAgain } from "../core/grant/sign-in/sign-in.ts";
import type { OAuthClient } from "../core/instances/instance.ts";
import { checkIssuer } from "../core/oauth/authorization-response.ts";
import { type ConsumedAuthorization, consumeAuthorization } from "../core/oauth/pending-authorization.ts";
import { hashSecret } from "../core/tenants/secrets.ts";
import type { HttpHandler, HttpRequest } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import { audited } from "./audited.ts";
import { clientOf } from "./change-instance.ts";
import { returnTo } from "./connect-page.ts";
import { type ConnectSession, openSessionConfiguration, SESSION_MS, sessionItem } from "./connect-session.ts";
import { extraOf } from "./instance-body.ts";
import { forPeople, redirect } from "./page.ts";
import type { ConnectionParts } from "./parts.ts";
import { endedSessionCookie, isSessionBrowser, otherBrowser } from "./session-browser.ts";

/**
 * GET /oauth/callback/{connector}: the vendor sends the user back. The state is used up whatever comes with it, a denial
 * too, before the code is exchanged. Until state, connector and browser are known to be right, nothing goes to the app.
 */
export function takeCallback(parts: () => ConnectionParts): HttpHandler {
  const handle: HttpHandler = async (request) => {
    const connector = findConnector(decodeSegment(request, "connector"));
    if (connector === undefined) throw new NotFound("There is no such place to come back to");
    request.facts.connector = connector.key;
    const { authorization, session } = await expected(parts(), request, connector);
    try {
      const code = codeOf(request, connector);
      const claim = await connect(parts(), request, connector, authorization, session, code);
      return redirect(returnTo(session, { session: session.sessionId, claim }), {
        "Set-Cookie": endedSessionCookie(request, session.sessionId),
      });
    } catch (error) {
      if (!(error instanceof LinkspanError)) throw error;
      request.facts.code = error.code;
      return redirect(returnTo(session, { session: session.sessionId, error: error.code }));
    }
  };
  return forPeople(audited(parts, "instance.create", handle));
}

/** @throws {InvalidRequest} no state of ours that is waiting for this connector @throws {Forbidden} another browser */
async function expected(
  parts: ConnectionParts,
  request: HttpRequest,
  connector: Connector,
): Promise<{ authorization: ConsumedAuthorization; session: ConnectSession }> {
  const state = request.query.get("state") ?? "";
  const authorization = await consumeAuthorization(
    { transients: parts.transients, vault: parts.grants.vault },
    state,
  );
  if (
    authorization?.flow !== "hosted" ||
    authorization.sessionId === undefined ||
    authorization.connector !== connector.key
  ) {
    throw new InvalidRequest(
      "This sign-in is unknown, was used already, or took too long",
      "state",
      "invalid_state",
    );
  }
  request.facts.organizationId = authorization.organizationId;
  request.facts.userId = authorization.userId;
  const session = await parts.transients.get<ConnectSession>(sessionItem(authorization.sessionId));
  if (session?.status !== "open") {
    throw new InvalidRequest("This sign-in took too long, or was finished already", "state", "session_over");
  }
  if (session.reauthenticates) {
    request.facts.action = "instance.sign_in";
    if (session.instanceId !== undefined) request.facts.instanceId = session.instanceId;
  }
  if (!isSessionBrowser(request, session)) throw otherBrowser();
  return { authorization, session };
}

/** @throws {LinkspanError} with the code that the app is told */
function codeOf(request: HttpRequest, connector: Connector): string {
  const { query } = request;
  checkIssuer(connector, query.get("iss") ?? undefined);
  const error = query.get("error");
  // RFC 6749 section 4.1.2.1; what else a vendor may write there does not go into the app's URL.
  if (error !== null) {
    throw new InvalidRequest(
      `${connector.name} answered ${error}`,
      "error",
      /^[a-z_]{1,64}$/.test(error) ? error : "vendor_error",
    );
  }
  const code = query.get("code");
  if (code === null) throw new InvalidRequest("the vendor sent no code", "code", "invalid_response");
  return code;
}

/** Exchanges the code, stores the grant, and makes the claim. Leaves no instance behind that nobody can claim. */
async function connect(
  parts: ConnectionParts,
  request: HttpRequest,
  connector: Connector,
  authorization: ConsumedAuthorization,
  session: ConnectSession,
  code: string,
): Promise<string> {
  const { grants, transients } = parts;
  const secretConfiguration = await openSessionConfiguration(parts, session);
  const client = await clientFor(parts, authorization, session, secretConfiguration);
  const extra = extraOf(Object.fromEntries([...request.query].filter(([name]) => !CALLBACK_OWN.has(name))));
  const exchange = {
    organizationId: session.organizationId,
    userId: session.userId,
    connector,
    client,
    code,
    redirectUri: authorization.redirectUri,
    ...(authorization.codeVerifier === undefined ? {} : { codeVerifier: authorization.codeVerifier }),
    configuration: { ...session.configuration, "oauth.callback.url": authorization.redirectUri },
    ...(extra === undefined ? {} : { extra }),
    epoch: authorization.epoch,
  };
  const name = session.name ?? connector.name;
  const { id: instanceId } =
    session.reauthenticates && session.instanceId !== undefined
      ? await signInAgain(grants, transients, { ...exchange, instanceId: session.instanceId }, request)
      : (
          await provisionInstance(
            grants,
            transients,
            { ...exchange, name, tags: session.tags?.length ? session.tags : [name], secretConfiguration },
            request,
          )
        ).instance;
  request.facts.instanceId = instanceId;

  const claim = randomBytes(32).toString("base64url");
  const connected = await transients.replace<ConnectSession>(
    {
      ...session,
      status: "connected",
      instanceId,
      claim: hashSecret(claim),
      expiresAt: transients.now() + SESSION_MS,
    },
    { field: "status", seen: "open" },
  );
  if (connected) return claim;
  // A second sign-in of the same session, in another tab, was faster.
  if (!session.reauthenticates) await markForDeletion(grants, instanceId);
  throw new InvalidRequest("this session was finished already", "state", "session_over");
}

/** Parameters of the redirect that are the protocol's, or tell about the screen that the user saw. */
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
  parts: ConnectionParts,
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
      : await parts.grants.instances.get(session.instanceId);
  if (instance === undefined) throw new NotFound("the instance is no longer there", "unknown_instance");
  return await clientOf(parts, instance);
}
