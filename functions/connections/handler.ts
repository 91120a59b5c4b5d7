import { tenantUse } from "../aws/composition.ts";
import { httpFunction } from "../http/http-function.ts";
import { cors } from "../http/middleware/cors.ts";
import { auditCalls } from "./audit-calls.ts";
import { browserMethods } from "./browser-calls.ts";
import { deps } from "./make-deps.ts";
import { connectionRoutes } from "./routes.ts";

export const handler = httpFunction({
  name: "connections",
  routes: connectionRoutes(deps),
  tenantUse,
  outer: [cors(browserMethods)],
  inner: [auditCalls(deps)],
});
