import type { Connector } from "../../connectors/define-connector.ts";
import { InvalidRequest } from "../errors.ts";
import type { RegisteredApp, RegisteredApps } from "../tenants/ports.ts";

/**
 * The OAuth client of an authorization URL: the client that the caller sent, or else the app that its
 * organization registered.
 */
export type ChosenClient =
  | { readonly kind: "own"; readonly clientId: string }
  | { readonly kind: "registered"; readonly clientId: string; readonly app: RegisteredApp };

/**
 * @param ownId client id that the caller sent; used instead of a registered app
 * @param field the caller's name for it: `apiKey`, `configuration.oauth.api.key`
 * @throws {InvalidRequest} no client was sent, and none is registered
 */
export async function chooseClient(
  tenants: RegisteredApps,
  organizationId: string,
  connector: Connector,
  ownId: string | undefined,
  field: string,
): Promise<ChosenClient> {
  // Removes blanks from copy and paste, here and below.
  const own = ownId?.trim();
  if (own !== undefined && own !== "") return { kind: "own", clientId: own };
  const app = await tenants.registeredApp(organizationId, connector.key);
  if (app === undefined) {
    throw new InvalidRequest(`${field} is missing, and no app is registered for ${connector.key}`, field);
  }
  return { kind: "registered", clientId: app.clientId.trim(), app };
}

/**
 * Schemes that a browser handles itself instead of opening an app. The vendor decides whether it accepts an app's private
 * scheme: https://www.rfc-editor.org/rfc/rfc8252#section-7.1
 */
const BROWSER_SCHEMES = new Set([
  "about:",
  "blob:",
  "data:",
  "file:",
  "filesystem:",
  "javascript:",
  "vbscript:",
  "view-source:",
]);

/**
 * The redirect URI of an authorization: the one that the caller sent, or else the first of the registered app.
 * The vendor compares it with its own list; if we know that list, the caller sees a mistake before the user
 * does.
 * @throws {InvalidRequest} missing, not an absolute URL, a URL that no vendor may redirect to, or not one of
 *   the registered app's
 */
export function chooseRedirectUri(client: ChosenClient, asked: string | undefined, field: string): string {
  const registered = client.kind === "registered" ? client.app.callbackUrls : [];
  const redirectUri = asked?.trim() || registered[0];
  if (redirectUri === undefined) throw new InvalidRequest(`${field} is missing`, field);
  // RFC 6749 section 3.1.2: absolute, without fragment.
  const scheme = URL.canParse(redirectUri) ? new URL(redirectUri).protocol : undefined;
  if (scheme === undefined || redirectUri.includes("#")) {
    throw new InvalidRequest(`${field} is not right: an absolute URL without fragment`, field);
  }
  if (BROWSER_SCHEMES.has(scheme)) {
    throw new InvalidRequest(`${field} is not right: a ${scheme} URL opens no app`, field);
  }
  if (registered.length > 0 && !registered.includes(redirectUri)) {
    throw new InvalidRequest(
      `${field} is not one of the callback URLs of the registered app; they are compared exactly`,
      field,
      "redirect_uri_mismatch",
    );
  }
  return redirectUri;
}
