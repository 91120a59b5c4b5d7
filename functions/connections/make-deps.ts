import { auditQueue } from "../aws/audit-queue.ts";
import { connectionDeps, discover, store, tenants, transients } from "../aws/composition.ts";
import { environment } from "../aws/environment.ts";
import { brandingReader } from "../aws/tenants/branding.ts";
import { oauthProxies } from "../aws/tenants/oauth-proxies.ts";
import { registeredApps } from "../aws/tenants/table.ts";
import type { ConnectionDeps } from "./deps.ts";

/** The function's dependencies; their parts are made at the first call. */
export const deps = (): ConnectionDeps => ({
  grants: connectionDeps(),
  tenants: {
    ...tenants(),
    ...registeredApps({ client: store().documents, tableName: environment("TENANTS_TABLE") }),
  },
  transients: transients(),
  proxies: oauthProxies({ client: store().documents, tableName: environment("TENANTS_TABLE") }),
  branding: brandingReader({ client: store().documents, tableName: environment("TENANTS_TABLE") }),
  discover,
  audit: auditQueue({ queueUrl: environment("AUDIT_QUEUE_URL") }),
});
