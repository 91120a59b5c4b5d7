import { grantParts, tenants, tenantUse } from "../aws/parts.ts";
import { preflight } from "../http/cors.ts";
import { httpFunction } from "../http/http-function.ts";
import { proxyHeaders, proxyRoutes } from "./routes.ts";

export const handler = httpFunction({
  name: "proxy",
  routes: proxyRoutes(() => ({ tenants: tenants(), grants: grantParts() })),
  headers: proxyHeaders,
  preflight,
  tenantUse,
});
