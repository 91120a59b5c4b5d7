import { type AuthorizationServer, days, seconds } from "../define-connector.ts";

/** The authorization server of all of Google's APIs; each connector adds its own scopes. */
export const google = {
  authorizationUrl: "https://accounts.google.com/o/oauth2/v2/auth",
  tokenUrl: "https://oauth2.googleapis.com/token",
  // Ends the user's whole grant to this client, including the grant of a sibling instance of the same
  // account.
  revocation: { url: "https://oauth2.googleapis.com/revoke", style: "rfc7009", ends: "grant" },
  clientAuthentication: "client_secret_post",
  pkce: "S256",
  scopes: {
    separator: " ",
    // Requests use the short names (OpenID Connect), answers use the long names; the user may refuse each of
    // them.
    aliases: {
      email: "https://www.googleapis.com/auth/userinfo.email",
      profile: "https://www.googleapis.com/auth/userinfo.profile",
    },
  },
  // Without prompt=consent, a second consent of the same user returns no refresh token.
  authorizationParameters: { access_type: "offline", prompt: "consent" },
  issuer: "https://accounts.google.com",
  accessToken: { defaultLifetimeMs: seconds(3599) },
  // A refresh token ends after six months without use (seven days after its issue for apps in testing), or if
  // it is the oldest of more than 100 refresh tokens of one user and client.
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
