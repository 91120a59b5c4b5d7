import { html } from "hono/html";
import { connectorByKey } from "../connectors/catalogue.ts";
import type { Connector } from "../connectors/define-connector.ts";
import { Forbidden, InvalidRequest, NotFound } from "../core/errors.ts";
import { chooseClient } from "../core/oauth/choose-client.ts";
import { beginAuthorization } from "../core/oauth/pending-authorization.ts";
import { signInEndpoint } from "../core/oauth/sign-in-endpoint.ts";
import { present } from "../core/present.ts";
import { hashSecret } from "../core/secret-hash.ts";
import type { Organization } from "../core/tenants/ports.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import { vendorEndpoint } from "../vendor-http/vendor-endpoints.ts";
import { activeOwner } from "./active-owner.ts";
import { addToQuery } from "./add-to-query.ts";
import type { Brand } from "./brand.ts";
import { clientOf } from "./change-instance.ts";
import { type ConnectSession, findSession } from "./connect-session.ts";
import type { ConnectionDeps } from "./deps.ts";
import { asHtmlPage, type Html, page, redirect } from "./page.ts";
import {
  formToken,
  isOwnForm,
  isSessionBrowser,
  newSessionCookie,
  otherBrowser,
  refuseOtherBrowser,
  sessionCookie,
} from "./session-browser.ts";

/**
 * GET /connect/{session}: the page that shows which organization asks for which account. Stores nothing, so
 * that link scanners and prefetchers change nothing: the session is bound to the page's cookie only when the
 * browser posts the form.
 */
export function showConnectPage(deps: () => ConnectionDeps): HttpHandler {
  return asHtmlPage(async (request) => {
    const { session, organization } = await openSession(deps(), request);
    refuseOtherBrowser(request, session);
    const brand = await brandOf(deps(), organization);
    const known = sessionCookie(request, session.sessionId);
    if (known !== undefined) return choicePage(request, session, brand, known);
    const { value, header } = newSessionCookie(request, session.sessionId);
    return choicePage(request, session, brand, value, { "Set-Cookie": header });
  });
}

/**
 * POST /connect/{session}: the user has chosen a connector, or wants to go back. Binds the session to this
 * browser, if it is not bound yet.
 */
export function chooseConnector(deps: () => ConnectionDeps): HttpHandler {
  return asHtmlPage(async (request) => {
    const { session, organization } = await openSession(deps(), request);
    const cookie = sessionCookie(request, session.sessionId);
    if (cookie === undefined) {
      if (session.browser !== undefined) throw otherBrowser();
      return cookiesBlockedPage(request, session, await brandOf(deps(), organization));
    }
    refuseOtherBrowser(request, session);
    const form = new URLSearchParams(request.body.toString("utf8"));
    if (!isOwnForm(request, form, cookie))
      throw new Forbidden(
        "This form does not come from the connect page. Open the link again, and choose there",
      );
    if (form.has("cancel")) {
      return redirect(returnTo(session, { session: session.sessionId, error: "access_denied" }));
    }
    const key = form.get("connector") ?? "";
    const connector = session.connectors.includes(key) ? connectorByKey(key) : undefined;
    if (connector === undefined)
      throw new InvalidRequest("This account is not offered on the connect page", "connector");
    request.logContext.connector = connector.key;
    await bind(deps(), request, session, hashSecret(cookie));
    return redirect(
      vendorEndpoint(await authorizationFor(deps(), request, session, organization, connector)).url,
    );
  });
}

/** How the page looks. A sign-in must not fail for its look: if the table does not answer, the page has the usual look. */
async function brandOf({ branding }: ConnectionDeps, { id, name }: Organization): Promise<Brand> {
  return { name, branding: await branding(id).catch(() => undefined) };
}

/** @throws {Forbidden} another browser was bound first */
async function bind(
  { transients }: ConnectionDeps,
  request: HttpRequest,
  session: ConnectSession,
  browser: string,
): Promise<void> {
  if (session.browser !== undefined) return;
  const bound = await transients.replace<ConnectSession>(
    { ...session, browser },
    { field: "browser", seen: undefined },
  );
  if (bound) return;
  // The same browser may have posted the form twice, by a double click.
  const now = await transients.get<ConnectSession>(session.id);
  if (now === undefined || !isSessionBrowser(request, now)) throw otherBrowser();
}

/**
 * The open session of the path.
 * @throws {NotFound} the session is unknown, too old or finished, or its user or organization is suspended
 */
async function openSession(
  { tenants, transients }: ConnectionDeps,
  request: HttpRequest,
): Promise<{ session: ConnectSession; organization: Organization }> {
  const id = decodeSegment(request, "session");
  const session = await findSession(transients, id);
  if (session?.status !== "open") {
    throw new NotFound("This link is unknown, was used already, or is older than 30 minutes");
  }
  const organization = await activeOwner(tenants, session);
  request.logContext.organizationId = organization.id;
  return { session, organization };
}

/**
 * The vendor's authorization URL, with a single-use state and PKCE. Each connector has its own callback path.
 */
async function authorizationFor(
  deps: ConnectionDeps,
  request: HttpRequest,
  session: ConnectSession,
  organization: Organization,
  connector: Connector,
): Promise<string> {
  const { clientId, appId, seenEpoch } = await clientFor(deps, session, organization, connector);
  const { endpoint } = await signInEndpoint(deps.discover, connector, session.configuration, organization);
  const { url } = await beginAuthorization(
    { transients: deps.transients, vault: deps.grants.vault },
    {
      flow: "hosted",
      organizationId: organization.id,
      userId: session.userId,
      connector,
      clientId,
      ...present({ appId, seenEpoch, endpoint }),
      redirectUri: `${request.baseUrl}/oauth/callback/${connector.key}`,
      configuration: session.configuration,
      sessionId: session.sessionId,
      scope: session.configuration["oauth.scope"],
    },
  );
  return url;
}

/**
 * The OAuth client in the session's configuration; else the client of the instance that the user signs in to
 * again; else the registered app.
 */
async function clientFor(
  deps: ConnectionDeps,
  session: ConnectSession,
  organization: Organization,
  connector: Connector,
): Promise<{ clientId: string; appId?: string; seenEpoch?: string }> {
  const own = session.configuration["oauth.api.key"];
  if (session.reauthenticates && session.instanceId !== undefined) {
    const { value: instance } = await deps.grants.instances.get(session.instanceId);
    if (instance === undefined || instance.deleting === true) {
      throw new NotFound("The connection to renew was deleted");
    }
    const seenEpoch = instance.epoch;
    if (own !== undefined) return { clientId: own, seenEpoch };
    const client = await clientOf(deps, instance);
    const { id: clientId } = await deps.grants.clients.resolve(organization.id, connector.key, client);
    return { clientId, seenEpoch, ...(client.kind === "registered" ? { appId: client.appId } : {}) };
  }
  const client = await chooseClient(deps.tenants, organization.id, connector, own, "connector");
  return {
    clientId: client.clientId,
    ...(client.kind === "registered" ? { appId: client.app.id } : {}),
  };
}

/** The app's return URL, with the result added to its query. */
export function returnTo(session: ConnectSession, what: Readonly<Record<string, string>>): string {
  return addToQuery(session.returnUrl, new URLSearchParams(what));
}

function choicePage(
  request: HttpRequest,
  session: ConnectSession,
  brand: Brand,
  cookie: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse<never> {
  const connectors = session.connectors.flatMap((key) => connectorByKey(key) ?? []);
  const [only] = connectors.length === 1 ? connectors : [];
  const again = session.reauthenticates;
  const verb = again ? "Reconnect" : "Connect";
  const token = html`<input type="hidden" name="form" value="${formToken(cookie)}">`;
  const title = only === undefined ? `${verb} an account` : `${verb} ${only.name}`;
  return page(
    200,
    title,
    html`<h1>${title}</h1>
<p><strong>${brand.name}</strong> asks for access to ${only === undefined ? "one of your accounts" : html`your ${only.name} account`}.
You sign in at ${only?.name ?? "the vendor"} and decide there what to allow${again ? "; please use the same account as before" : ""}.</p>
${only === undefined ? html`<h2 id="choices">Continue with</h2>` : ""}
<ul${only === undefined ? html` aria-labelledby="choices"` : ""}>
${connectors.map((connector) => connectorButton(request, session, connector, only !== undefined, token))}
</ul>
<form method="post" action="${formAction(request, session)}">${token}<input type="hidden" name="cancel" value="1"><button class="quiet">Not now, go back</button></form>`,
    { "Referrer-Policy": "same-origin", ...headers },
    brand,
  );
}

/**
 * Shown when the browser posts the form without the page's cookie. The button opens the connect page, which sets the cookie
 * again.
 */
function cookiesBlockedPage(
  request: HttpRequest,
  session: ConnectSession,
  brand: Brand,
): HttpResponse<never> {
  const title = "Please allow cookies";
  return page(
    403,
    title,
    html`<h1>${title}</h1>
<p role="alert">Your browser did not keep the cookie of this page. The cookie makes sure that nobody else finishes your sign-in.</p>
<p>Allow cookies for ${new URL(request.baseUrl).host}, then try again.</p>
<form method="get" action="${formAction(request, session)}"><button>Try again</button></form>`,
    {},
    brand,
  );
}

function connectorButton(
  request: HttpRequest,
  session: ConnectSession,
  connector: Connector,
  isOnly: boolean,
  token: Html,
) {
  const image = html`<img src="${request.baseUrl}/elements/images/${connector.key}.svg" alt="" width="36" height="36">`;
  return html`<li><form method="post" action="${formAction(request, session)}">${token}<input type="hidden" name="connector" value="${connector.key}"><button${isOnly ? html` class="only"` : ""}>${isOnly ? "" : image}${isOnly ? html`Continue with ${connector.name}` : html`<span><span class="hidden">Continue with </span>${connector.name}</span>`}</button></form></li>`;
}

function formAction(request: HttpRequest, session: ConnectSession): string {
  return `${request.baseUrl}/connect/${session.sessionId}`;
}
