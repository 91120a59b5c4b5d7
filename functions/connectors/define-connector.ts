/** Where a vendor takes the client's id and secret at its token endpoint (RFC 6749 section 2.3.1). */
export type ClientAuthentication = "client_secret_basic" | "client_secret_post" | "none";

/** How a vendor ends a grant. */
export interface Revocation {
  readonly url: string;
  /** `rfc7009`: form with `token`; `bearer`: POST with the access token as Authorization and no body. */
  readonly style: "rfc7009" | "bearer";
  /** `token`: ends the token sent and those issued from it; `grant`: ends everything this user gave this client. */
  readonly ends: "token" | "grant";
}

/** One GET that exchanges a token for one that lives longer. */
export interface TokenStep {
  /** Its host may be another than the token URL's. */
  readonly url: string;
  /** Goes out as `grant_type`; the token goes beside it as `access_token`. */
  readonly grantType: string;
  /** The client fields that this step requires. Others are not sent in the query. */
  readonly client: readonly ("client_id" | "client_secret")[];
}

/**
 * For a vendor without refresh tokens: its access token is exchanged for a long-lived one right after the code exchange, and
 * the long-lived token is renewed with itself while it is valid (Meta's Threads and Instagram). The grant keeps it as its own
 * refresh token.
 */
export interface LongLivedToken {
  /** The short-lived token in, the long-lived one out: the second request of a code exchange. */
  readonly exchange: TokenStep;
  /** A living long-lived token in, the next one out. */
  readonly renewal: TokenStep;
  /** Minimum age of a token that the vendor renews, in milliseconds. */
  readonly minimumAgeMs: number;
  /** How long the code's own token lives where the vendor does not tell, in milliseconds. */
  readonly shortLifetimeMs: number;
}

/** Where a fact of a connector comes from. */
export interface Source {
  readonly url: string;
  /** `YYYY-MM-DD`: when somebody last found it there. */
  readonly checked: string;
  /** In a few words, the facts of the connector that this page supports. */
  readonly facts: string;
}

/**
 * Where a vendor's authorization server tells its URLs: RFC 8414, or OpenID Connect Discovery. For servers that customers run
 * themselves, and for vendors whose URLs move.
 */
export interface Discovery {
  /** May hold `{name}`, as every URL. The document must name the same issuer. */
  readonly issuer: string;
  /** Hosts that the document may name beside the issuer's own: exact or `*.suffix`. The organization's list counts, too. */
  readonly hosts?: readonly string[];
}

/**
 * The URLs that a metadata document tells, by its own names (RFC 8414 section 2). A connector uses one with a placeholder:
 * `tokenUrl: "{token_endpoint}"`.
 */
export const DISCOVERED_URLS = ["authorization_endpoint", "token_endpoint", "revocation_endpoint"] as const;

/** The URLs of a connector with `discovery`. */
export const discoveredUrls = {
  authorizationUrl: "{authorization_endpoint}",
  tokenUrl: "{token_endpoint}",
} as const;

/** What all of a vendor's APIs share, written once (`servers/`): a connector adds the scopes that it asks for. */
export type AuthorizationServer = Omit<OAuth2, "scopes"> & {
  readonly scopes: Omit<OAuth2["scopes"], "default">;
};

export interface OAuth2 {
  readonly sources?: readonly Source[];
  /** URLs may hold `{name}`: the value of a declared field of `configuration` or `captured`. */
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  /** The document is read at each sign-in; its URLs are bound to the grant. */
  readonly discovery?: Discovery;
  /** Absent: `tokenUrl`. */
  readonly refreshUrl?: string;
  readonly revocation?: Revocation;
  readonly clientAuthentication: ClientAuthentication;
  /** Only S256 (RFC 7636); absent: the vendor has none. */
  readonly pkce?: "S256";
  readonly scopes: {
    /** Asked for when the app names none. */
    readonly default: readonly string[];
    /** What the vendor wants between two scopes. */
    readonly separator: " " | "," | "+";
    /** Separator of scopes in the vendor's token answers; absent: `separator`. Blanks always separate scopes, too. */
    readonly answerSeparator?: " " | "," | "+";
    /** The name that the vendor's token answer uses for a scope. */
    readonly aliases?: Readonly<Record<string, string>>;
    /** Scopes that no answer names, though they are granted, such as Microsoft's `offline_access`. */
    readonly unreported?: readonly string[];
  };
  /** Whatever the vendor needs to give a refresh token, added to each authorization URL. */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /** `iss` that the vendor promises in its answer (RFC 9207); checked wherever sent, required when `issRequired`. */
  readonly issuer?: string;
  readonly issRequired?: boolean;
  readonly accessToken: {
    /** Lifetime where the vendor's answer does not tell, in milliseconds; absent: refreshed on 401 only. */
    readonly defaultLifetimeMs?: number;
    /** What the vendor counts `expires_in` in; absent: seconds, as RFC 6749 section 5.1 has it. */
    readonly expiresInUnit?: "milliseconds";
    /**
     * Texts in a 401 of this vendor's API that mean an invalid or expired access token, besides RFC 6750's `invalid_token` in
     * WWW-Authenticate. No errors that a valid token can get, such as a missing scope.
     */
    readonly endedErrors?: readonly string[];
  };
  /** Absent: the vendor gives no refresh token, the access token is valid until told otherwise. */
  readonly refreshToken?: {
    /** True: each refresh may bring a new refresh token and end the old one. False: sending one twice is harmless. */
    readonly rotates: boolean;
    /** The refresh token itself dies when unused for so long, in milliseconds. */
    readonly idleLifetimeMs?: number;
  };
  /**
   * Values of `error` by which this vendor says that a grant is dead, beside those that mean so everywhere
   * (core/oauth/dead-grant.ts). Case is ignored. Only errors that a retry cannot solve; name the vendor's page for each.
   */
  readonly deadGrantErrors?: readonly string[];
  /** In place of `refreshToken`: the access token itself is exchanged and renewed. */
  readonly longLivedToken?: LongLivedToken;
  /** The file of `hooks/`, without its ending, that says what data cannot. It is loaded with the first token request. */
  readonly hooks?: string;
}

/** Who is behind a grant, as the vendor tells. */
export interface Account {
  readonly id: string;
  readonly name?: string;
  readonly email?: string;
}

/** One cheap call of the vendor's API whose JSON answer tells the account of an access token. */
export interface AccountCall {
  readonly method: "GET" | "POST";
  /** Path and query on `api.origin`. */
  readonly path: string;
  /** Paths in the answer to the fields of `Account`: member names joined by dots, list items by index. */
  readonly id: string;
  readonly name?: string;
  readonly email?: string;
}

/**
 * What a value must be to stand in a URL or a header of its connector:
 * - `hostLabel`: one label of a host name;
 * - `hostBelow`: a host, or an https URL without path, that is one of these or below one (`*.my.salesforce.com`);
 * - `listedHost`: any host that the organization's own list names, or one of these;
 * - `oneOf`: one of these, such as a region's ending;
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

/** A member of the token answer or the callback that calls to the vendor need: kept with the grant whatever its size. */
export interface CapturedValue {
  readonly key: string;
  /** Where it stands in a URL or a header. */
  readonly format?: ValueFormat;
}

/** A value that the app or the user gives beside the OAuth client. */
export interface ConfigurationField {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly secret?: boolean;
  /** Where it stands in a URL or a header. */
  readonly format?: ValueFormat;
  /** The value when the field is left out. */
  readonly default?: string;
}

/** Where a vendor takes an access token. `basic`: as the user's name or the password of RFC 7617, the other one empty. */
export type Credential =
  | { readonly in: "header"; readonly name: string; readonly scheme?: string }
  | { readonly in: "query"; readonly name: string }
  | { readonly in: "basic"; readonly token: "user" | "password" };

export interface VendorApi {
  /** Origin of the vendor's API; the proxy's default host. No path. May hold `{name}`, as each of `hosts`. */
  readonly origin: string;
  /** Other origins by name, reached as `/proxy/~name/…`. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Hosts that downloads may be redirected to: exact or `*.suffix`. */
  readonly downloadHosts?: readonly string[];
  /**
   * Paths (and what lies below them) on another of `hosts`, for SDKs that send the calls for all hosts to one base URL. First
   * match wins.
   */
  readonly pathHosts?: readonly { readonly prefix: string; readonly host: string }[];
  /** Where the vendor's own credential goes. */
  readonly credential: Credential;
  /** Headers that each call needs (`Notion-Version`), by name. May hold `{name}`, and `{client_id}` of the grant's client. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Other places where the vendor takes its credential; the proxy accepts the instance token there, too. */
  readonly otherCredentials?: readonly Credential[];
  /** JSON fields that carry vendor URLs, rewritten by the proxy only when asked (`Elements-Rewrite-Urls: true`). */
  readonly urlFields?: readonly string[];
}

/**
 * One vendor's endpoint as data: what is here can be written as JSON, and is in bundles. What data cannot say is a hook of a few
 * lines in a file of its own, with the vendor's page that demands it in a comment.
 */
export interface Connector {
  /** Key in URLs: lower case letters and digits. */
  readonly key: string;
  /** The original catalogue's number; never reused. */
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly hub: "documents";
  /** The vendor's page on OAuth, for people. */
  readonly docs: string;
  /** Sources of this data; a shared authorization server has its own. */
  readonly sources?: readonly Source[];
  /** Where one registers an app at the vendor. */
  readonly console: string;
  readonly oauth2: OAuth2;
  readonly api: VendorApi;
  readonly configuration?: readonly ConfigurationField[];
  /** What the vendor tells of an instance (`instance_url`, `realmId`). Other members are kept as far as there is room. */
  readonly captured?: readonly CapturedValue[];
  /** The call that tells whose account the grant is for. */
  readonly account?: AccountCall;
}

/** The OAuth of a connector whose authorization server is shared. */
export function signedInAt(server: AuthorizationServer, scopes: readonly string[]): OAuth2 {
  return { ...server, scopes: { ...server.scopes, default: scopes } };
}

/**
 * Checks at module load what types cannot: that the key is well formed, that every URL is https, that hosts exist, that a
 * grant is renewed in one way only.
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
        throw new Error(`connector ${connector.key}: ${place} in ${text} is no declared value with a format`);
      }
    }
  }
  for (const { host } of connector.api.pathHosts ?? []) {
    if (connector.api.hosts?.[host] === undefined) {
      throw new Error(`connector ${connector.key}: pathHosts names ${host}, which api.hosts lacks`);
    }
  }
  const { longLivedToken, refreshToken, accessToken } = connector.oauth2;
  if (longLivedToken !== undefined && refreshToken !== undefined) {
    throw new Error(`connector ${connector.key}: longLivedToken stands in place of refreshToken`);
  }
  if (longLivedToken !== undefined && accessToken.defaultLifetimeMs === undefined) {
    throw new Error(`connector ${connector.key}: a long-lived token needs accessToken.defaultLifetimeMs`);
  }
  return connector;
}

export const days = (count: number): number => count * 86_400_000;
export const seconds = (count: number): number => count * 1000;
