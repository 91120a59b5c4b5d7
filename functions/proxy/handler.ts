import { grantDeps, tenants, tenantUse } from "../aws/composition.ts";
import { preflight } from "../http/cors.ts";
import { httpFunction } from "../http/http-function.ts";
import { proxyHeaders, proxyRoutes } from "./routes.ts";

export const handler = httpFunction({
  name: "proxy",
  routes: proxyRoutes(() => ({ tenants: tenants(), grants: grantDeps() })),
  headers: proxyHeaders,
  preflight,
  tenantUse,
});
