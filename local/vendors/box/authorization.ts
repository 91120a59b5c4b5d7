import type { TokenProblem } from "../authorization/vendor-rules.ts";
import { tokenError, type VendorOAuth } from "../kit/oauth.ts";

/**
 * https://developer.box.com/guides/authentication/oauth2/without-sdk; lifetimes:
 * https://developer.box.com/guides/api-calls/permissions-and-errors/expiration; scopes:
 * https://developer.box.com/guides/api-calls/permissions-and-errors/scopes (all 2026-11-27).
 */
export const boxOAuth: VendorOAuth = {
  look: { vendor: "Box", accent: { light: "#0a4fb0", dark: "#7fb4f5" } },
  authorize: { hosts: ["account.box.com"], path: "/api/oauth2/authorize" },
  token: { hosts: ["api.box.com"], path: "/oauth2/token" },
  // The reference lists client_id, client_secret and token: https://developer.box.com/reference/post-oauth2-revoke
  revocation: { hosts: ["api.box.com"], path: "/oauth2/revoke", ends: "token", needsClient: true },
  scopes: {
    root_readonly: "read all files and folders stored in Box",
    root_readwrite: "read and write all files and folders stored in Box",
  },
  // The parameters of the reference are client_id, redirect_uri, response_type, scope and state.
  ignoresPkce: true,
  // The reference of the token request has no redirect_uri, and the official SDK sends none.
  redirectUriOptionalAtToken: true,
  clientAuthentication: ["post"],
  codeSeconds: 30,
  accessTokenSeconds: 3600,
  refreshTokens: { rotation: "singleUse", idleMs: 60 * 86_400_000 },
  tokenProblem: (problem) => {
    const [error, description] = WORDS[problem] ?? [];
    return error === undefined || description === undefined ? undefined : tokenError(error, description);
  },
};

/** .../permissions-and-errors/common-errors and https://github.com/box/box-python-sdk/issues/587 */
const WORDS: Readonly<Partial<Record<TokenProblem, readonly [string, string]>>> = {
  client_unknown: ["invalid_client", "The client credentials are invalid"],
  client_secret_wrong: ["invalid_client", "The client credentials are invalid"],
  grant_type_unsupported: ["invalid_request", "Invalid grant_type parameter or parameter missing"],
  code_expired: ["invalid_grant", "The authorization code has expired"],
  refresh_token_dead: ["invalid_grant", "Invalid refresh token"],
};
