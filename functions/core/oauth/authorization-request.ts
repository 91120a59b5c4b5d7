import { createHash, randomBytes } from "node:crypto";
import type { Connector } from "../../connectors/define-connector.ts";
import { type EndpointValues, endpointValues, filled } from "../endpoint/endpoint.ts";
import { present } from "../present.ts";

export interface AuthorizationRequest {
  readonly clientId: string;
  /** Sent exactly as given, because the vendor compares it as a string (RFC 6749 section 3.1.2.3). */
  readonly redirectUri: string;
  /** Scopes, separated by blanks or commas; absent: the connector's default. */
  readonly scope?: string | undefined;
  readonly state: string;
  /** S256 (RFC 7636 section 4.2). */
  readonly codeChallenge?: string | undefined;
  /** Values for the places in the vendor's URL, if it has any. */
  readonly configuration: Readonly<Record<string, string>>;
  /** The vendor's URLs from its metadata document, where the connector has none of its own. */
  readonly endpoint?: EndpointValues | undefined;
}

/**
 * The URL of the vendor's login and consent page (RFC 6749 section 4.1.1).
 * @throws {InvalidRequest} a value that the vendor's URL needs is missing or wrong
 */
export function authorizationUrl(connector: Connector, request: AuthorizationRequest): string {
  const { oauth2 } = connector;
  const values = endpointValues(connector, request.configuration, present({ endpoint: request.endpoint }));
  const url = new URL(filled(connector, oauth2.authorizationUrl, values));
  const scopes = askedScopes(connector, request.scope);
  const parameters: Record<string, string | undefined> = {
    response_type: "code",
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    scope: scopes.length === 0 ? undefined : scopes.join(oauth2.scopes.separator),
    state: request.state,
    ...oauth2.authorizationParameters,
    ...(request.codeChallenge === undefined
      ? {}
      : { code_challenge: request.codeChallenge, code_challenge_method: "S256" }),
  };
  // Not URLSearchParams: it writes a blank as "+", which some vendors read as a plus.
  const query = Object.entries(parameters)
    .filter((pair): pair is [string, string] => pair[1] !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  url.search = [url.search.slice(1), ...query].filter((part) => part !== "").join("&");
  return url.href;
}

/** The scopes of an authorization URL: those that the app sends, or else the connector's default. */
export function askedScopes(connector: Connector, scope: string | undefined): readonly string[] {
  return scope === undefined ? connector.oauth2.scopes.default : splitScopes(scope);
}

/** No vendor that we know has blanks or commas in a scope token, so both separate two tokens. */
function splitScopes(scope: string): string[] {
  return scope.split(/[\s,]+/).filter((each) => each !== "");
}

/** A Linkspan state: 256 random bits. Its prefix distinguishes it from an app's own state. */
export function newState(): string {
  return `ls_${randomBytes(32).toString("base64url")}`;
}

export const isOwnState = (state: string): boolean => state.startsWith("ls_");

/** RFC 7636 section 4.1: 43 characters of 256 random bits. */
export function newCodeVerifier(): string {
  return randomBytes(32).toString("base64url");
}

/** RFC 7636 section 4.2: S256. */
export function codeChallenge(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}
