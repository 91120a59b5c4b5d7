import { tenantUse } from "../aws/composition.ts";
import { corsHeaders, preflight } from "../http/cors.ts";
import { httpFunction } from "../http/http-function.ts";
import { browserMethods } from "./browser-calls.ts";
import { routes } from "./routes.ts";

export const handler = httpFunction({
  name: "connections",
  routes,
  headers: corsHeaders,
  tenantUse,
  preflight: (request) => preflight(request, browserMethods(request.path)),
});
