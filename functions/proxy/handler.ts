import { grantDeps, tenants, tenantUse } from "../aws/composition.ts";
import { httpFunction } from "../http/http-function.ts";
import { addHeaders, cors } from "../http/middleware/cors.ts";
import { proxyHeaders, proxyRoutes } from "./routes.ts";

export const handler = httpFunction({
  name: "proxy",
  routes: proxyRoutes(() => ({ tenants: tenants(), grants: grantDeps() })),
  tenantUse,
  outer: [cors(), addHeaders(proxyHeaders)],
});
