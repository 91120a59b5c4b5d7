import { auditQueue } from "../aws/audit-queue.ts";
import { environment } from "../aws/environment.ts";
import { connectionParts, store, tenants, transients } from "../aws/parts.ts";
import { registeredApps } from "../aws/registered-apps.ts";
import type { ConnectionParts } from "./parts.ts";

/** Built at the first call. */
export const parts = (): ConnectionParts => ({
  grants: connectionParts(),
  tenants: {
    ...tenants(),
    ...registeredApps({ client: store().documents, tableName: environment("TENANTS_TABLE") }),
  },
  transients: transients(),
  audit: auditQueue({ queueUrl: environment("AUDIT_QUEUE_URL") }),
});
