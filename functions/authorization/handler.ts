import { tenantUse } from "../aws/composition.ts";
import { httpFunction } from "../http/http-function.ts";
import { addHeaders } from "../http/middleware/cors.ts";
import { deprecationHeaders } from "./authorization-url.ts";
import { deps } from "./deps.ts";
import { authorizationRoutes } from "./routes.ts";

export const handler = httpFunction({
  name: "authorization",
  routes: authorizationRoutes(deps),
  tenantUse,
  outer: [addHeaders(deprecationHeaders)],
});
