/** How the client sends its id and secret to the vendor's token endpoint (RFC 6749 section 2.3.1). */
export type ClientAuthentication = "client_secret_basic" | "client_secret_post" | "none";

/** How to end a grant at the vendor. */
export interface Revocation {
  readonly url: string;
  /** `rfc7009`: form with `token`; `bearer`: POST with the access token as Authorization and no body. */
  readonly style: "rfc7009" | "bearer";
  /**
   * `token`: ends the token that is sent, and the tokens issued from it; `grant`: ends everything that this
   * user has granted to this client.
   */
  readonly ends: "token" | "grant";
}

/** A GET request that exchanges a token for a token with a longer lifetime. */
export interface TokenStep {
  /** May have another host than the token URL. */
  readonly url: string;
  /** Sent as `grant_type`; the token is sent as `access_token`. */
  readonly grantType: string;
  /** The fields of the client that this step requires. Other fields are not sent in the query. */
  readonly client: readonly ("client_id" | "client_secret")[];
}

/**
 * For a vendor without refresh tokens: its access token is exchanged for a long-lived one right after the
 * code exchange, and the long-lived token is renewed with itself while it is valid (Meta's Threads and
 * Instagram). The grant stores the long-lived token as its refresh token, too.
 */
export interface LongLivedToken {
  /** Exchanges the short-lived token for the long-lived one: the second request of a code exchange. */
  readonly exchange: TokenStep;
  /** Exchanges a valid long-lived token for the next one. */
  readonly renewal: TokenStep;
  /** Minimum age of a token that the vendor renews, in milliseconds. */
  readonly minimumAgeMs: number;
  /** Lifetime of the short-lived token if the vendor does not report it, in milliseconds. */
  readonly shortLifetimeMs: number;
}

/** A page that supports facts of a connector. */
export interface Source {
  readonly url: string;
  /** `YYYY-MM-DD`: when the facts were last checked on this page. */
  readonly checked: string;
  /** In a few words, the facts of the connector that this page supports. */
  readonly facts: string;
}

/**
 * How to find the URLs of a vendor's authorization server in its metadata document: RFC 8414, or OpenID
 * Connect Discovery. For servers that customers run themselves, and for vendors whose URLs change.
 */
export interface Discovery {
  /** May contain `{name}`, like every URL. The document must name the same issuer. */
  readonly issuer: string;
  /**
   * Hosts that the document may name in addition to the issuer's host: exact or `*.suffix`. Hosts of the
   * organization's list are allowed, too.
   */
  readonly hosts?: readonly string[];
}

/**
 * The URLs of a metadata document, by their names in it (RFC 8414 section 2). A connector uses such a URL by
 * a placeholder: `tokenUrl: "{token_endpoint}"`.
 */
export const DISCOVERED_URLS = ["authorization_endpoint", "token_endpoint", "revocation_endpoint"] as const;

/** The URLs of a connector with `discovery`. */
export const discoveredUrls = {
  authorizationUrl: "{authorization_endpoint}",
  tokenUrl: "{token_endpoint}",
} as const;

/**
 * The OAuth data that all of a vendor's APIs share, written once (`servers/`). Each connector adds its
 * default scopes.
 */
export type AuthorizationServer = Omit<OAuth2, "scopes"> & {
  readonly scopes: Omit<OAuth2["scopes"], "default">;
};

export interface OAuth2 {
  readonly sources?: readonly Source[];
  /** URLs may contain `{name}`: the value of a declared field of `configuration` or `captured`. */
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  /** The document is read at each sign-in; its URLs are bound to the grant. */
  readonly discovery?: Discovery;
  /** Absent: `tokenUrl`. */
  readonly refreshUrl?: string;
  readonly revocation?: Revocation;
  readonly clientAuthentication: ClientAuthentication;
  /** Only S256 (RFC 7636); absent: the vendor does not support PKCE. */
  readonly pkce?: "S256";
  readonly scopes: {
    /** Scopes that are requested if the app names none. */
    readonly default: readonly string[];
    /** Separator between two scopes in requests. */
    readonly separator: " " | "," | "+";
    /** Separator of scopes in the vendor's token answers; absent: `separator`. Blanks always separate scopes, too. */
    readonly answerSeparator?: " " | "," | "+";
    /** Requested scope -> its name in the vendor's token answer, if it differs. */
    readonly aliases?: Readonly<Record<string, string>>;
    /** Scopes that no answer names, even if they are granted, such as Microsoft's `offline_access`. */
    readonly unreported?: readonly string[];
  };
  /** Parameters of each authorization URL, such as those that make the vendor issue a refresh token. */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /** Value of `iss` in the vendor's answer (RFC 9207): checked if it is sent, required if `issRequired`. */
  readonly issuer?: string;
  readonly issRequired?: boolean;
  readonly accessToken: {
    /**
     * Lifetime if the vendor's answer has none, in milliseconds; absent: such a token is refreshed only after
     * a 401.
     */
    readonly defaultLifetimeMs?: number;
    /** Unit of the vendor's `expires_in`; absent: seconds, as in RFC 6749 section 5.1. */
    readonly expiresInUnit?: "milliseconds";
    /**
     * Texts in a 401 of this vendor's API that mean an invalid or expired access token, in addition to RFC
     * 6750's `invalid_token` in WWW-Authenticate. Do not list errors that a valid token can get, such as a
     * missing scope.
     */
    readonly endedErrors?: readonly string[];
  };
  /**
   * Absent: the vendor issues no refresh token, and the access token is valid until the vendor refuses it.
   */
  readonly refreshToken?: {
    /**
     * True: each refresh may return a new refresh token and end the old one. False: a refresh token can
     * safely be sent twice.
     */
    readonly rotates: boolean;
    /** The refresh token expires after this time without use, in milliseconds. */
    readonly idleLifetimeMs?: number;
  };
  /**
   * Values of `error` that mean a dead grant at this vendor, in addition to those that mean a dead grant at
   * all vendors (core/oauth/dead-grant.ts). Case is ignored. List only errors that a retry cannot solve, and
   * name the vendor's page for each.
   */
  readonly deadGrantErrors?: readonly string[];
  /** In place of `refreshToken`: the access token itself is exchanged and renewed. */
  readonly longLivedToken?: LongLivedToken;
  /**
   * Name of a file in `hooks/`, without its extension, for rules that data cannot express. Loaded at the
   * first token request.
   */
  readonly hooks?: string;
}

/** The account of a grant, as the vendor reports it. */
export interface Account {
  readonly id: string;
  readonly name?: string;
  readonly email?: string;
  /** Values of `AccountCall.facts`, by key. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** A cheap call of the vendor's API whose JSON answer contains the account of an access token. */
export interface AccountCall {
  readonly method: "GET" | "POST";
  /** Path and query on `api.origin`. */
  readonly path: string;
  /** Paths in the answer to the fields of `Account`: member names joined by dots, list items by index. */
  readonly id: string;
  readonly name?: string;
  readonly email?: string;
  /**
   * Places in the answer of further values that the vendor's module needs for its calls, by key. They are stored with the
   * account, and shown to nobody.
   */
  readonly facts?: Readonly<Record<string, string>>;
  /** The scope that the call needs. Absent: none. */
  readonly scope?: string;
}

/**
 * The form that a value must have for use in a URL or a header of its connector:
 * - `hostLabel`: one label of a host name;
 * - `hostBelow`: a host, or an https URL without path, that matches one of these hosts or patterns
 *   (`*.my.salesforce.com`);
 * - `listedHost`: any host of the organization's own list, or one of these hosts;
 * - `oneOf`: one of these values, such as the last part of a region's host name;
 * - `pathSegment`: percent-encoded into one segment of a path;
 * - `text`: for a header.
 */
export type ValueFormat =
  | "hostLabel"
  | "pathSegment"
  | "text"
  | { readonly hostBelow: readonly string[] }
  | { readonly listedHost: readonly string[] }
  | { readonly oneOf: readonly string[] };

/**
 * A value of the token answer or the callback that calls to the vendor need. It is always kept with the
 * grant.
 */
export interface CapturedValue {
  readonly key: string;
  /** Required if a URL or a header contains the value. */
  readonly format?: ValueFormat;
  /**
   * Key of the configuration's value that is taken if the app does not pass on the vendor's value, for apps of
   * the original API, which send the code alone.
   */
  readonly configurationKey?: string;
  /** The value if neither the vendor's nor the configuration's is there. */
  readonly default?: string;
}

/** A value that the app or the user gives in addition to the OAuth client. */
export interface ConfigurationField {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly secret?: boolean;
  /** Required if a URL or a header contains the value. */
  readonly format?: ValueFormat;
  /** The value if the field is absent. */
  readonly default?: string;
}

/**
 * The place for the access token in a request. `basic`: user name or password of RFC 7617; the other of the
 * two is empty.
 */
export type Credential =
  | { readonly in: "header"; readonly name: string; readonly scheme?: string }
  | { readonly in: "query"; readonly name: string }
  | { readonly in: "basic"; readonly token: "user" | "password" };

export interface VendorApi {
  /**
   * Origin of the vendor's API, without a path; the proxy's default host. May contain `{name}`, like each of
   * `hosts`.
   */
  readonly origin: string;
  /** Other origins by name; the proxy's path for them is `/proxy/~name/…`. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Hosts that downloads may be redirected to: exact or `*.suffix`. */
  readonly downloadHosts?: readonly string[];
  /**
   * Hosts of URLs that are their own credential (upload sessions, monitors of tasks): exact or `*.suffix`. They get no access
   * token.
   */
  readonly presignedHosts?: readonly string[];
  /**
   * Paths, including all paths below them, that belong to one of `hosts`: for SDKs that send the calls for
   * all hosts to one base URL. The first match is used.
   */
  readonly pathHosts?: readonly { readonly prefix: string; readonly host: string }[];
  /**
   * Exact paths of calls that the vendor refuses if they carry a credential. The caller still needs the instance token; it is
   * checked, and nothing is sent in its place.
   */
  readonly withoutCredential?: readonly string[];
  /** The place for the vendor's own credential. */
  readonly credential: Credential;
  /**
   * Headers that each call needs (`Notion-Version`). Values may contain `{name}`, and `{client_id}` of the
   * grant's client.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Other places where the vendor takes its credential; the proxy accepts the instance token there, too. */
  readonly otherCredentials?: readonly Credential[];
  /**
   * JSON fields with the vendor's URLs. The proxy rewrites them if the caller asks for it
   * (`Elements-Rewrite-Urls: true`).
   */
  readonly urlFields?: readonly string[];
}

/**
 * One vendor's API as data. All of it can be written as JSON, and bundles contain it as JSON. A rule that
 * data cannot express is a short hook in its own file, with a comment that names the vendor's page.
 */
export interface Connector {
  /** Key in URLs: lower case letters and digits. */
  readonly key: string;
  /** Other keys under which callers find it. */
  readonly aliases?: readonly string[];
  /** Number in the original catalogue; never reused. */
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly hub: "documents";
  /** The vendor's documentation page about OAuth. */
  readonly docs: string;
  /** Sources of this data; a shared authorization server has its own sources. */
  readonly sources?: readonly Source[];
  /** The vendor's page for registering an app. */
  readonly console: string;
  readonly oauth2: OAuth2;
  readonly api: VendorApi;
  readonly configuration?: readonly ConfigurationField[];
  /**
   * Values that the vendor returns for an instance (`instance_url`, `realmId`). Values that are not declared
   * here are kept up to a limit.
   */
  readonly captured?: readonly CapturedValue[];
  /** The call that returns the account of a grant. */
  readonly account?: AccountCall;
}

/** The OAuth data of a connector whose authorization server is shared. */
export function signedInAt(server: AuthorizationServer, scopes: readonly string[]): OAuth2 {
  return { ...server, scopes: { ...server.scopes, default: scopes } };
}

/**
 * Checks, when the module is loaded, what types cannot check: that the key is well formed, every URL is
 * https, every placeholder is declared, hosts exist, and a grant is renewed in one way only.
 */
export function defineConnector<const C extends Connector>(connector: C): C {
  if (!/^[a-z][a-z0-9]*$/.test(connector.key)) {
    throw new Error(`connector key ${connector.key}: lower-case letters and digits only`);
  }
  const urls = [
    connector.docs,
    connector.oauth2.authorizationUrl,
    connector.oauth2.tokenUrl,
    connector.oauth2.refreshUrl,
    connector.oauth2.discovery?.issuer,
    connector.oauth2.revocation?.url,
    connector.oauth2.longLivedToken?.exchange.url,
    connector.oauth2.longLivedToken?.renewal.url,
    connector.api.origin,
    ...Object.values(connector.api.hosts ?? {}),
  ];
  const { discovery } = connector.oauth2;
  const discovered = discovery === undefined ? [] : DISCOVERED_URLS.map((name) => `{${name}}`);
  for (const url of urls) {
    if (url !== undefined && !url.startsWith("https://") && !discovered.includes(url)) {
      throw new Error(`connector ${connector.key}: ${url} is not an https URL`);
    }
  }
  const texts = [...urls, ...Object.values(connector.api.headers ?? {})];
  const declared = [...(connector.configuration ?? []), ...(connector.captured ?? [])];
  for (const text of texts) {
    if (text !== undefined && discovered.includes(text)) continue;
    for (const [place, name = ""] of text?.matchAll(/\{([^{}]+)\}/g) ?? []) {
      if (name !== "client_id" && declared.find(({ key }) => key === name)?.format === undefined) {
        throw new Error(
          `connector ${connector.key}: ${place} in ${text} is not a declared value with a format`,
        );
      }
    }
  }
  for (const { host } of connector.api.pathHosts ?? []) {
    if (connector.api.hosts?.[host] === undefined) {
      throw new Error(`connector ${connector.key}: pathHosts names ${host}, which is not in api.hosts`);
    }
  }
  for (const path of connector.api.withoutCredential ?? []) {
    if (!path.startsWith("/"))
      throw new Error(`connector ${connector.key}: withoutCredential names ${path}, which is not a path`);
  }
  const { longLivedToken, refreshToken, accessToken } = connector.oauth2;
  if (longLivedToken !== undefined && refreshToken !== undefined) {
    throw new Error(`connector ${connector.key}: set longLivedToken or refreshToken, not both`);
  }
  if (longLivedToken !== undefined && accessToken.defaultLifetimeMs === undefined) {
    throw new Error(`connector ${connector.key}: a long-lived token needs accessToken.defaultLifetimeMs`);
  }
  return connector;
}

export const days = (count: number): number => count * 86_400_000;
export const seconds = (count: number): number => count * 1000;
