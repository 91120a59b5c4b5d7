import { days, defineConnector, seconds } from "../define-connector.ts";

export default defineConnector({
  key: "box",
  // The original catalogue's number for Box, 22, is this catalogue's number for Dropbox.
  id: 10022,
  name: "Box",
  description: "Files and folders of a Box account",
  hub: "documents",
  docs: "https://developer.box.com/guides/authentication/oauth2/without-sdk",
  console: "https://app.box.com/developers/console",
  oauth2: {
    authorizationUrl: "https://account.box.com/api/oauth2/authorize",
    tokenUrl: "https://api.box.com/oauth2/token",
    revocation: { url: "https://api.box.com/oauth2/revoke", style: "rfc7009", ends: "token" },
    clientAuthentication: "client_secret_post",
    // The reference of the authorization URL has no code_challenge.
    scopes: { default: ["root_readwrite"], separator: " " },
    accessToken: { defaultLifetimeMs: seconds(3600) },
    refreshToken: { rotates: true, idleLifetimeMs: days(60) },
  },
  api: {
    origin: "https://api.box.com",
    hosts: { upload: "https://upload.box.com" },
    downloadHosts: ["dl.boxcloud.com", "*.boxcloud.com"],
    credential: { in: "header", name: "Authorization", scheme: "Bearer" },
    // For the proxy: SDKs that send all calls to one base URL.
    pathHosts: [{ prefix: "/api/2.0", host: "upload" }],
  },
  account: {
    method: "GET",
    path: "/2.0/users/me?fields=id,name,login",
    id: "id",
    name: "name",
    email: "login",
  },
  sources: [
    {
      url: "https://developer.box.com/reference/get-authorize",
      checked: "2026-11-27",
      facts: "endpoints: the authorization URL and its parameters; no PKCE",
    },
    {
      url: "https://developer.box.com/reference/post-oauth2-token",
      checked: "2026-11-27",
      facts: "the token URL; client id and secret in the form",
    },
    {
      url: "https://developer.box.com/reference/post-oauth2-revoke",
      checked: "2026-11-27",
      facts: "revocation with token, client id and secret",
    },
    {
      url: "https://developer.box.com/guides/authentication/tokens/refresh",
      checked: "2026-11-27",
      facts: "a refresh token is for one use within 60 days; each refresh returns a new one",
    },
    {
      url: "https://developer.box.com/guides/api-calls/permissions-and-errors/expiration",
      checked: "2026-11-27",
      facts: "codes live 30 seconds, access tokens 60 minutes, download URLs 15 minutes",
    },
    {
      url: "https://developer.box.com/guides/api-calls/permissions-and-errors/scopes",
      checked: "2026-11-27",
      facts: "scopes",
    },
    {
      url: "https://developer.box.com/guides/api-calls/allowing-domain-access",
      checked: "2026-11-27",
      facts: "hosts of uploads and downloads",
    },
  ],
});
