import { type AuthorizationServer, type ConfigurationField, days, seconds } from "../define-connector.ts";

/** Microsoft's authorization server for Microsoft Graph; each connector adds its own scopes and its own `tenantField`. */
export const microsoft = {
  authorizationUrl: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
  tokenUrl: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
  // Microsoft has no revocation endpoint: users remove an app at their account's page.
  clientAuthentication: "client_secret_post",
  pkce: "S256",
  // The answer names the scopes of the API alone.
  scopes: { separator: " ", unreported: ["offline_access"] },
  // A random time of 60 to 90 minutes, which the answer names. 401 of Graph with this code: the token has expired.
  accessToken: { defaultLifetimeMs: seconds(3600), endedErrors: ["InvalidAuthenticationToken"] },
  // Each refresh returns a new refresh token, and the old one stays usable.
  refreshToken: { rotates: false, idleLifetimeMs: days(90) },
  sources: [
    {
      url: "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow",
      checked: "2026-11-27",
      facts:
        "endpoints and tenants, client_secret in the form, PKCE, offline_access, errors of the token endpoint",
    },
    {
      url: "https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens",
      checked: "2026-11-27",
      facts: "refresh tokens: 90 days, a new one upon every use, old ones are not revoked",
    },
    {
      url: "https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens",
      checked: "2026-11-27",
      facts: "lifetime of access tokens",
    },
    {
      url: "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
      checked: "2026-11-27",
      facts: "AADSTS70008, 700082 and 50173 come as invalid_grant",
    },
  ],
} as const satisfies AuthorizationServer;

/** `tenant` of the sign-in URLs: https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols#endpoints */
export function tenantField(tenant: "common" | "organizations"): ConfigurationField {
  return {
    key: "tenant",
    name: "Tenant",
    description: `Id or domain of the organization that may sign in, or common, organizations or consumers; without it, ${tenant}`,
    required: false,
    format: "pathSegment",
    default: tenant,
  };
}
