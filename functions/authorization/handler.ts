import { tenantUse } from "../aws/composition.ts";
import { httpFunction } from "../http/http-function.ts";
import { deprecationHeaders, GET_URL } from "./authorization-url.ts";
import { routes } from "./routes.ts";

export const handler = httpFunction({
  name: "authorization",
  routes,
  headers: (request) => (request.facts.route === GET_URL ? deprecationHeaders(request) : {}),
  tenantUse,
});
