import type { AuditTrail } from "../core/audit.ts";
import type { ProvisioningDeps } from "../core/grant/grant-deps.ts";
import type { InstanceLists } from "../core/instances/instance-store.ts";
import type { Discover } from "../core/oauth/discover.ts";
import type { Branding } from "../core/tenants/branding.ts";
import type { OAuthProxies } from "../core/tenants/oauth-proxies.ts";
import type { RegisteredApps, TenantStore } from "../core/tenants/ports.ts";
import type { TransientStore } from "../core/transients.ts";

/** Dependencies of this function, which is the only HTTP function that creates grants. */
export interface ConnectionDeps {
  readonly grants: ProvisioningDeps & {
    readonly instances: Pick<InstanceLists, "listByOwner" | "getMany">;
  };
  readonly tenants: TenantStore & RegisteredApps;
  readonly transients: TransientStore;
  readonly proxies: OAuthProxies;
  readonly branding: (organizationId: string) => Promise<Branding | undefined>;
  readonly audit: AuditTrail;
  /** Called only for a connector that needs discovery. */
  readonly discover: () => Discover;
}
