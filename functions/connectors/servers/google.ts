import { type AuthorizationServer, days, seconds } from "../define-connector.ts";

/** Signs in for all of Google's APIs; each connector asks for scopes of its own. */
export const google = {
  authorizationUrl: "https://accounts.google.com/o/oauth2/v2/auth",
  tokenUrl: "https://oauth2.googleapis.com/token",
  // Ends the user's whole grant to this client: a sibling instance of the same account dies with it.
  revocation: { url: "https://oauth2.googleapis.com/revoke", style: "rfc7009", ends: "grant" },
  clientAuthentication: "client_secret_post",
  pkce: "S256",
  scopes: {
    separator: " ",
    // Asked for by their short names (OpenID Connect), told by their long ones; a user may untick each.
    aliases: {
      email: "https://www.googleapis.com/auth/userinfo.email",
      profile: "https://www.googleapis.com/auth/userinfo.profile",
    },
  },
  // Without prompt=consent a second consent of the same user brings no refresh token.
  authorizationParameters: { access_type: "offline", prompt: "consent" },
  issuer: "https://accounts.google.com",
  accessToken: { defaultLifetimeMs: seconds(3599) },
  // Dies when unused for six months (seven days for apps in testing), or as the oldest of more than 100 of one user and client.
  refreshToken: { rotates: false, idleLifetimeMs: days(180) },
  sources: [
    {
      url: "https://developers.google.com/identity/protocols/oauth2/web-server",
      checked: "2026-11-26",
      facts: "endpoints, client authentication, PKCE, access_type and prompt, revocation",
    },
    {
      url: "https://developers.google.com/identity/protocols/oauth2#expiration",
      checked: "2026-11-26",
      facts: "when refresh tokens end",
    },
    {
      url: "https://developers.google.com/identity/openid-connect/openid-connect#scope-param",
      checked: "2026-11-26",
      facts: "short names of scopes",
    },
  ],
} as const satisfies AuthorizationServer;
