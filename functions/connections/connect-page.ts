import { html } from "hono/html";
import { findConnector } from "../connectors/catalogue.ts";
import type { Connector } from "../connectors/define-connector.ts";
import { Forbidden, InvalidRequest, NotFound, Unavailable } from "../core/errors.ts";
import { chooseClient } from "../core/oauth/choose-client.ts";
import { beginAuthorization } from "../core/oauth/pending-authorization.ts";
import type { Organization } from "../core/tenants/ports.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import { vendorEndpoint } from "../vendor-http/vendor-endpoints.ts";
import { activeOwner } from "./active-owner.ts";
import { clientOf } from "./change-instance.ts";
import { type ConnectSession, findSession } from "./connect-session.ts";
import { forPeople, page, redirect } from "./page.ts";
import type { ConnectionParts } from "./parts.ts";
import { isSessionBrowser, newSessionCookie } from "./session-browser.ts";

/** GET /connect/{session}: who asks, and for what. The first browser that opens it keeps it. */
export function showConnectPage(parts: () => ConnectionParts): HttpHandler {
  return forPeople(async (request) => {
    // A browser that only prefetches a link is not the user yet.
    if (/\bprefetch\b/i.test(request.headers["sec-purpose"] ?? request.headers.purpose ?? "")) {
      throw new Unavailable("This page is not there for prefetching");
    }
    const { session, organization } = await openSession(parts(), request);
    if (session.browser !== undefined) {
      if (!isSessionBrowser(request, session)) throw otherBrowser();
      return choicePage(request, session, organization);
    }
    const cookie = newSessionCookie(request, session.sessionId);
    const first = await parts().transients.replace<ConnectSession>(
      { ...session, browser: cookie.hash },
      { field: "browser", seen: undefined },
    );
    if (!first) throw otherBrowser();
    return choicePage(request, session, organization, { "Set-Cookie": cookie.header });
  });
}

/** POST /connect/{session}: the user chose a connector, or wants to go back. */
export function chooseConnector(parts: () => ConnectionParts): HttpHandler {
  return forPeople(async (request) => {
    const { session, organization } = await openSession(parts(), request);
    // The cookie is SameSite=Lax: another site's form comes without it.
    if (!isSessionBrowser(request, session)) throw otherBrowser();
    const form = new URLSearchParams(request.body.toString("utf8"));
    if (form.has("cancel")) {
      return redirect(returnTo(session, { session: session.sessionId, error: "access_denied" }));
    }
    const key = form.get("connector") ?? "";
    const connector = session.connectors.includes(key) ? findConnector(key) : undefined;
    if (connector === undefined)
      throw new InvalidRequest("This account is not one of those to choose from", "connector");
    request.facts.connector = connector.key;
    return redirect(
      vendorEndpoint(await authorizationFor(parts(), request, session, organization, connector)).url,
    );
  });
}

/**
 * The session of the path, while its user is on the way.
 * @throws {NotFound} unknown, over or done, or its user or organization is suspended
 */
async function openSession(
  { tenants, transients }: ConnectionParts,
  request: HttpRequest,
): Promise<{ session: ConnectSession; organization: Organization }> {
  const id = decodeSegment(request, "session");
  const session = await findSession(transients, id);
  if (session?.status !== "open") {
    throw new NotFound("This link is unknown, was used already, or is older than 30 minutes");
  }
  const organization = await activeOwner(tenants, session);
  request.facts.organizationId = organization.id;
  return { session, organization };
}

/** The vendor's page, with a single-use state of ours and PKCE; one path of ours per connector to come back to. */
async function authorizationFor(
  parts: ConnectionParts,
  request: HttpRequest,
  session: ConnectSession,
  organization: Organization,
  connector: Connector,
): Promise<string> {
  const { clientId, appId, seenEpoch } = await clientFor(parts, session, organization, connector);
  const { url } = await beginAuthorization(
    { transients: parts.transients, vault: parts.grants.vault },
    {
      flow: "hosted",
      organizationId: organization.id,
      userId: session.userId,
      connector,
      clientId,
      ...(appId === undefined ? {} : { appId }),
      ...(seenEpoch === undefined ? {} : { seenEpoch }),
      redirectUri: `${request.baseUrl}/oauth/callback/${connector.key}`,
      configuration: session.configuration,
      sessionId: session.sessionId,
      scope: session.configuration["oauth.scope"],
    },
  );
  return url;
}

/** What the session brought; for an instance that is signed in to again, the client that it has. */
async function clientFor(
  parts: ConnectionParts,
  session: ConnectSession,
  organization: Organization,
  connector: Connector,
): Promise<{ clientId: string; appId?: string; seenEpoch?: string }> {
  const own = session.configuration["oauth.api.key"];
  if (session.reauthenticates && session.instanceId !== undefined) {
    const { value: instance } = await parts.grants.instances.get(session.instanceId);
    if (instance === undefined || instance.deleting === true) {
      throw new NotFound("The connection that you were to renew is no longer there");
    }
    const seenEpoch = instance.epoch;
    if (own !== undefined) return { clientId: own, seenEpoch };
    const client = await clientOf(parts, instance);
    const { id: clientId } = await parts.grants.clients.resolve(organization.id, connector.key, client);
    return { clientId, seenEpoch, ...(client.kind === "registered" ? { appId: client.appId } : {}) };
  }
  const client = await chooseClient(parts.tenants, organization.id, connector, own, "connector");
  return {
    clientId: client.clientId,
    ...(client.kind === "registered" ? { appId: client.app.id } : {}),
  };
}

/** The app's return URL with what happened added to its query. */
export function returnTo(session: ConnectSession, what: Readonly<Record<string, string>>): string {
  const url = new URL(session.returnUrl);
  for (const [name, value] of Object.entries(what)) url.searchParams.set(name, value);
  return url.href;
}

export function otherBrowser(): Forbidden {
  return new Forbidden("This link was opened in another browser first, and works there only");
}

function choicePage(
  request: HttpRequest,
  session: ConnectSession,
  organization: Organization,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const connectors = session.connectors.flatMap((key) => findConnector(key) ?? []);
  const [only] = connectors.length === 1 ? connectors : [];
  const again = session.reauthenticates;
  const verb = again ? "Reconnect" : "Connect";
  const title = only === undefined ? `${verb} an account` : `${verb} ${only.name}`;
  return page(
    200,
    title,
    html`<h1>${title}</h1>
<p><strong>${organization.name}</strong> asks for access to ${only === undefined ? "an account of yours" : html`your ${only.name} account`}.
You sign in at ${only?.name ?? "the vendor"} and decide there what to allow${again ? "; please use the same account as before" : ""}.</p>
<ul>
${connectors.map((connector) => connectorButton(request, session, connector, only !== undefined))}
</ul>
<form method="post" action="${formAction(request, session)}"><input type="hidden" name="cancel" value="1"><button class="quiet">Not now, take me back</button></form>`,
    headers,
  );
}

function connectorButton(
  request: HttpRequest,
  session: ConnectSession,
  connector: Connector,
  isOnly: boolean,
) {
  const image = html`<img src="${request.baseUrl}/elements/images/${connector.key}.svg" alt="" width="36" height="36">`;
  return html`<li><form method="post" action="${formAction(request, session)}"><input type="hidden" name="connector" value="${connector.key}"><button${isOnly ? html` class="only"` : ""}>${isOnly ? "" : image}<span>Continue with ${connector.name}</span></button></form></li>`;
}

function formAction(request: HttpRequest, session: ConnectSession): string {
  return `${request.baseUrl}/connect/${session.sessionId}`;
}
