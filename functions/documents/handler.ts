import { grantDeps, tenants, tenantUse } from "../aws/composition.ts";
import { corsHeaders, preflight } from "../http/cors.ts";
import { httpFunction } from "../http/http-function.ts";
import { documentsRoutes, instanceHeader } from "./routes.ts";

export const handler = httpFunction({
  name: "documents",
  routes: documentsRoutes(() => ({ tenants: tenants(), grants: grantDeps() })),
  preflight,
  headers: (request) => ({ ...corsHeaders(request), ...instanceHeader(request) }),
  tenantUse,
});
