import { days, defineConnector, seconds } from "./define-connector.ts";

export const googledrive = defineConnector({
  key: "googledrive",
  id: 51,
  name: "Google Drive",
  description: "Files and folders of a Google Drive",
  hub: "documents",
  docs: "https://developers.google.com/identity/protocols/oauth2/web-server",
  console: "https://console.cloud.google.com/apis/credentials",
  oauth2: {
    authorizationUrl: "https://accounts.google.com/o/oauth2/v2/auth",
    tokenUrl: "https://oauth2.googleapis.com/token",
    // https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke
    // Ends the user's whole grant to this client: a sibling instance of the same account dies with it.
    revocation: { url: "https://oauth2.googleapis.com/revoke", style: "rfc7009", ends: "grant" },
    clientAuthentication: "client_secret_post",
    pkce: "S256",
    scopes: {
      default: ["https://www.googleapis.com/auth/drive"],
      separator: " ",
      // Asked for by their short names (OpenID Connect), told by their long ones; a user may untick each:
      // https://developers.google.com/identity/openid-connect/openid-connect#scope-param
      // https://developers.google.com/identity/protocols/oauth2/resources/granular-permissions
      aliases: {
        email: "https://www.googleapis.com/auth/userinfo.email",
        profile: "https://www.googleapis.com/auth/userinfo.profile",
      },
    },
    // `access_type`, `prompt`: https://developers.google.com/identity/protocols/oauth2/web-server#creatingclient
    // Without prompt=consent a second consent of the same user brings no refresh token.
    authorizationParameters: { access_type: "offline", prompt: "consent" },
    issuer: "https://accounts.google.com",
    accessToken: { defaultLifetimeMs: seconds(3599) },
    // Dies when unused for six months (seven days for apps in testing), or as the oldest of more than 100 of one user
    // and client: https://developers.google.com/identity/protocols/oauth2#expiration
    refreshToken: { rotates: false, idleLifetimeMs: days(180) },
  },
  api: {
    origin: "https://www.googleapis.com",
    hosts: { oauth2: "https://oauth2.googleapis.com" },
    downloadHosts: ["*.googleusercontent.com"],
    credential: { in: "header", name: "Authorization", scheme: "Bearer" },
    // https://cloud.google.com/apis/docs/system-parameters
    otherCredentials: [{ in: "query", name: "access_token" }],
  },
  // https://developers.google.com/workspace/drive/api/reference/rest/v3/about/get: `fields` is required there
  account: {
    method: "GET",
    path: "/drive/v3/about?fields=user",
    id: "user.permissionId",
    name: "user.displayName",
    email: "user.emailAddress",
  },
});
