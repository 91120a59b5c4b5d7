import { grantParts, tenants, tenantUse } from "../aws/parts.ts";
import { corsHeaders, preflight } from "../http/cors.ts";
import { httpFunction } from "../http/http-function.ts";
import { documentsRoutes, instanceHeader } from "./routes.ts";

export const handler = httpFunction({
  name: "documents",
  routes: documentsRoutes(() => ({ tenants: tenants(), grants: grantParts() })),
  preflight,
  headers: (request) => ({ ...corsHeaders(request), ...instanceHeader(request) }),
  tenantUse,
});
