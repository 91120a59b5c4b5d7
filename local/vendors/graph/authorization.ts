import { randomUUID } from "node:crypto";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import type { VendorOAuth } from "../kit/oauth.ts";

export const READ = [
  "Files.Read",
  "Files.Read.All",
  "Files.ReadWrite",
  "Files.ReadWrite.All",
  "Sites.ReadWrite.All",
];
export const WRITE = ["Files.ReadWrite", "Files.ReadWrite.All", "Sites.ReadWrite.All"];

/**
 * https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow; refresh tokens:
 * https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens; scopes:
 * https://learn.microsoft.com/en-us/graph/permissions-reference (all 2026-11-27).
 */
export const graphOAuth: VendorOAuth = {
  look: { vendor: "Microsoft", accent: { light: "#0067b8", dark: "#76b9ed" } },
  authorize: { hosts: ["login.microsoftonline.com"], path: "/{tenant}/oauth2/v2.0/authorize" },
  token: { hosts: ["login.microsoftonline.com"], path: "/{tenant}/oauth2/v2.0/token" },
  scopes: {
    offline_access: "maintain access to data you have given it access to",
    openid: "sign you in",
    profile: "view your basic profile",
    email: "view your email address",
    "User.Read": "sign you in and read your profile",
    "Files.Read": "read your files",
    "Files.Read.All": "read all files that you have access to",
    "Files.ReadWrite": "have full access to your files",
    "Files.ReadWrite.All": "have full access to all files you have access to",
    "Sites.Read.All": "read items in all site collections",
    "Sites.ReadWrite.All": "edit or delete items in all site collections",
  },
  isOffline: (_query, scopes) => scopes.includes("offline_access"),
  check: (query) =>
    (query.get("scope") ?? "") === ""
      ? problem(900144, "The request must contain the following parameter: 'scope'.")
      : undefined,
  // Codes expire "after about 10 minutes", access tokens after a random time of 60 to 90 minutes.
  codeSeconds: 600,
  accessTokenSeconds: 3_900,
  refreshTokens: { rotation: "oldStays", idleMs: 90 * 86_400_000 },
  prefixes: { code: "M.C1_", access: "EwB4", refresh: "0.AX4A" },
  tokenMembers: ({ grant, expiresInSeconds }) => ({
    token_type: "Bearer",
    // "The scopes that the access_token is valid for": offline_access is none of them.
    scope: grant.scopes.filter((scope) => scope !== "offline_access").join(" "),
    ext_expires_in: expiresInSeconds,
  }),
  // Codes: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes (2026-11-27).
  tokenProblem: (name) => {
    switch (name) {
      case "client_unknown":
        return refusal("unauthorized_client", 700016, "Application was not found in the directory.");
      case "client_secret_wrong":
        return refusal("invalid_client", 7000215, "Invalid client secret provided.", 401);
      case "grant_type_unsupported":
        return refusal("unsupported_grant_type", 70003, "The app returned an unsupported grant type.");
      case "code_unknown":
      case "code_expired":
        return refusal(
          "invalid_grant",
          70008,
          "The provided authorization code or refresh token has expired.",
        );
      case "code_used":
        return refusal("invalid_grant", 54005, "OAuth2 authorization code was already redeemed.");
      case "redirect_uri_mismatch":
        return refusal("invalid_client", 50011, "The redirect URI does not match.");
      case "verifier_missing":
      case "verifier_wrong":
        return refusal("invalid_grant", 501481, "The code verifier does not match the code challenge.");
      case "refresh_token_dead":
        return refusal("invalid_grant", 700082, "The refresh token has expired due to inactivity.");
      default:
        return refusal("invalid_request", 900144, `The request is not valid: ${name.replaceAll("_", " ")}.`);
    }
  },
};

const problem = (code: number, text: string) => ({ status: 400, title: `AADSTS${code}`, text });

function refusal(error: string, code: number, text: string, status = 400): Answer {
  return jsonAnswer(status, {
    error,
    error_description: `AADSTS${code}: ${text}`,
    error_codes: [code],
    timestamp: "2026-11-27 12:00:00Z",
    trace_id: randomUUID(),
    correlation_id: randomUUID(),
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  });
}
