import { grantDeps, keptDetailsStore, tenants, tenantUse, transients } from "../aws/composition.ts";
import { httpFunction } from "../http/http-function.ts";
import { addHeaders, cors } from "../http/middleware/cors.ts";
import { documentsRoutes, instanceHeader } from "./routes.ts";

export const handler = httpFunction({
  name: "documents",
  routes: documentsRoutes(() => ({
    tenants: tenants(),
    grants: grantDeps(),
    keptDetails: keptDetailsStore(),
    transients: transients(),
  })),
  tenantUse,
  outer: [cors(), addHeaders(instanceHeader)],
});
