import { defineConnector } from "../../functions/connectors/define-connector.ts";

/** A connector of a vendor that rotates refresh tokens and revokes single tokens. */
export const connector = defineConnector({
  key: "vendor",
  id: 1,
  name: "Vendor",
  description: "A vendor",
  hub: "documents",
  docs: "https://vendor.example/docs",
  console: "https://vendor.example/apps",
  oauth2: {
    authorizationUrl: "https://vendor.example/authorize",
    tokenUrl: "https://vendor.example/token",
    revocation: { url: "https://vendor.example/revoke", style: "rfc7009", ends: "token" },
    clientAuthentication: "client_secret_post",
    scopes: { default: [], separator: " " },
    accessToken: {},
    refreshToken: { rotates: true },
  },
  api: {
    origin: "https://api.vendor.example",
    credential: { in: "header", name: "Authorization", scheme: "Bearer" },
  },
});
