import {
  type Connector,
  days,
  defineConnector,
  discoveredUrls,
  seconds,
} from "../../functions/connectors/define-connector.ts";

/** Invented vendors: one for each kind of grant that does not follow the usual pattern. `server.ts` simulates them all. */

const common = (key: string, id: number, host = `${key}.vendor.example`) =>
  ({
    key,
    id,
    name: `The ${key} vendor`,
    description: "A kind of vendor, for tests",
    hub: "documents",
    docs: "https://vendor.example/docs",
    console: "https://vendor.example/apps",
    api: {
      origin: `https://${host}`,
      credential: { in: "header", name: "Authorization", scheme: "Bearer" },
    },
  }) as const;

const endpoints = (key: string) =>
  ({
    authorizationUrl: `https://${key}.vendor.example/authorize`,
    tokenUrl: `https://${key}.vendor.example/token`,
    clientAuthentication: "client_secret_post",
    scopes: { default: ["files"], separator: " " },
  }) as const;

/** An access token without an end, and no refresh token. */
export const eternal = defineConnector({
  ...common("eternal", 9_001),
  oauth2: { ...endpoints("eternal"), accessToken: {} },
});

/** `expires_in`, and no refresh token: the token is valid until the vendor refuses it. */
export const shortlived = defineConnector({
  ...common("shortlived", 9_002),
  oauth2: { ...endpoints("shortlived"), accessToken: {} },
});

/** `expires_in` in milliseconds. */
export const milliseconds = defineConnector({
  ...common("milliseconds", 9_003),
  oauth2: {
    ...endpoints("milliseconds"),
    accessToken: { expiresInUnit: "milliseconds" },
    refreshToken: { rotates: false },
  },
});

/** `expires_in` as a string. */
export const text = defineConnector({
  ...common("text", 9_004),
  oauth2: { ...endpoints("text"), accessToken: {}, refreshToken: { rotates: false } },
});

/** A refresh token, and an access token without `expires_in`. */
export const unknown = defineConnector({
  ...common("unknown", 9_005),
  oauth2: { ...endpoints("unknown"), accessToken: {}, refreshToken: { rotates: false } },
});

/** A refresh token that ends after 30 days without use. */
export const idle = defineConnector({
  ...common("idle", 9_006),
  oauth2: {
    ...endpoints("idle"),
    accessToken: { defaultLifetimeMs: seconds(3600) },
    refreshToken: { rotates: false, idleLifetimeMs: days(30) },
  },
});

/** Each refresh returns a new refresh token and ends the old one; an old one that is sent again ends everything. */
export const rotating = defineConnector({
  ...common("rotating", 9_007),
  oauth2: {
    ...endpoints("rotating"),
    accessToken: { defaultLifetimeMs: seconds(3600) },
    refreshToken: { rotates: true },
  },
});

/** Its token endpoint accepts a GET with every parameter in the query. */
export const query = defineConnector({
  ...common("query", 9_008),
  oauth2: {
    ...endpoints("query"),
    accessToken: {},
    refreshToken: { rotates: false },
    hooks: "query",
  },
});

/** Its token endpoint accepts JSON with its own names, nests its answers, and refuses with status 200. */
export const json = defineConnector({
  ...common("json", 9_009),
  oauth2: {
    ...endpoints("json"),
    accessToken: {},
    refreshToken: { rotates: false },
    hooks: "json",
  },
});

/**
 * As at Threads (https://developers.facebook.com/docs/threads/get-started/long-lived-tokens) and Instagram
 * (https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token): a token of an hour is exchanged
 * for one of 60 days, which renews itself while it lives, from its second day on.
 */
export const longlived = defineConnector({
  ...common("longlived", 9_010, "graph.longlived.vendor.example"),
  oauth2: {
    ...endpoints("longlived"),
    accessToken: { defaultLifetimeMs: days(60) },
    longLivedToken: {
      exchange: {
        url: "https://graph.longlived.vendor.example/access_token",
        grantType: "th_exchange_token",
        client: ["client_secret"],
      },
      renewal: {
        url: "https://graph.longlived.vendor.example/refresh_access_token",
        grantType: "th_refresh_token",
        client: [],
      },
      minimumAgeMs: days(1),
      shortLifetimeMs: seconds(3600),
    },
    hooks: "graph",
  },
});

/**
 * Its customers have their own hosts: the app names the host for signing in, and the vendor names the host for the API, which
 * takes the token in the query and needs the client's id.
 */
export const placed = defineConnector({
  ...common("placed", 9_011),
  oauth2: {
    authorizationUrl: "https://{subdomain}.placed.vendor.example/authorize",
    tokenUrl: "https://{subdomain}.placed.vendor.example/token",
    revocation: { url: "https://{subdomain}.placed.vendor.example/revoke", style: "rfc7009", ends: "token" },
    clientAuthentication: "client_secret_post",
    scopes: { default: ["files"], separator: " " },
    accessToken: {},
    refreshToken: { rotates: true },
  },
  api: {
    origin: "https://{api_host}",
    credential: { in: "query", name: "access_token" },
    headers: { "X-Client": "{client_id}" },
  },
  configuration: [
    {
      key: "subdomain",
      name: "Subdomain",
      description: "In front of .placed.vendor.example",
      required: true,
      format: "hostLabel",
    },
  ],
  captured: [{ key: "api_host", format: { hostBelow: ["*.placed.vendor.example"] } }],
  account: { method: "GET", path: "/me", id: "id" },
});

/** Customers run it themselves: it tells its URLs in a metadata document, and promises `iss` in its answers. */
export const discovered = defineConnector({
  ...common("discovered", 9_012),
  oauth2: {
    ...discoveredUrls,
    discovery: { issuer: "https://{server}", hosts: ["login.discovered.vendor.example"] },
    revocation: { url: "{revocation_endpoint}", style: "rfc7009", ends: "token" },
    clientAuthentication: "client_secret_post",
    scopes: { default: ["files"], separator: " " },
    accessToken: {},
    refreshToken: { rotates: true },
  },
  api: {
    origin: "https://{server}",
    credential: { in: "header", name: "Authorization", scheme: "Bearer" },
  },
  configuration: [
    {
      key: "server",
      name: "Server",
      description: "Where it runs",
      required: true,
      format: { listedHost: ["cloud.discovered.vendor.example"] },
    },
  ],
  account: { method: "GET", path: "/me", id: "id" },
});

/** All connectors, sorted by key as a catalogue is. */
export const vendorKinds: readonly Connector[] = [
  discovered,
  eternal,
  idle,
  json,
  longlived,
  milliseconds,
  placed,
  query,
  rotating,
  shortlived,
  text,
  unknown,
];

/** Every host that `server.ts` simulates. */
export const vendorKindHosts: readonly string[] = [
  ...new Set(
    vendorKinds
      .filter((each) => each !== placed && each !== discovered)
      .flatMap(({ oauth2, api }) => [new URL(oauth2.tokenUrl).host, new URL(api.origin).host]),
  ),
  "acme.placed.vendor.example",
  "eu1.placed.vendor.example",
  "cloud.discovered.vendor.example",
  "login.discovered.vendor.example",
];
