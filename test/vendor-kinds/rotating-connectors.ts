import { type Connector, defineConnector } from "../../functions/connectors/define-connector.ts";

/**
 * Vendors for which we have no connector, to test different ways of handling refresh tokens. All of them revoke single
 * tokens, name the account, and answer `GET /api/me` for a valid access token.
 */
const vendor = (key: string, id: number, rotates: boolean): Connector => {
  const host = `${key}.vendor.example`;
  return defineConnector({
    key,
    id,
    name: `Vendor ${key}`,
    description: "A vendor of the tests",
    hub: "documents",
    docs: `https://${host}/docs`,
    console: `https://${host}/console`,
    oauth2: {
      authorizationUrl: `https://${host}/authorize`,
      tokenUrl: `https://${host}/token`,
      revocation: { url: `https://${host}/revoke`, style: "rfc7009", ends: "token" },
      clientAuthentication: "client_secret_post",
      scopes: { default: ["files"], separator: " " },
      accessToken: { defaultLifetimeMs: 3_600_000 },
      refreshToken: { rotates },
    },
    api: { origin: `https://${host}`, credential: { in: "header", name: "Authorization", scheme: "Bearer" } },
    account: { method: "GET", path: "/api/me", id: "id" },
  });
};

/** Rotates, and ends the whole grant when a refresh token comes twice. Simulated with oidc-provider. */
export const strict = vendor("strict", 9101, true);
/** Rotates, but accepts the old token as long as the new one has not been used. */
export const grace = vendor("grace", 9102, true);
/** Does not rotate. */
export const steady = vendor("steady", 9103, false);
/** Does not rotate, and gives a user who signs in again the token that is still valid. */
export const again = vendor("again", 9104, false);
