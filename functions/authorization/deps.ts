import { discover, store, tenants, vault } from "../aws/composition.ts";
import { environment } from "../aws/environment.ts";
import { oauthProxyReader } from "../aws/tenants/oauth-proxies.ts";
import { registeredApps } from "../aws/tenants/table.ts";
import { transientWriter } from "../aws/transient-table.ts";
import type { Discover } from "../core/oauth/discover.ts";
import type { OAuthProxies } from "../core/tenants/oauth-proxies.ts";
import type { RegisteredApps, TenantStore } from "../core/tenants/ports.ts";
import type { TransientStore } from "../core/transients.ts";
import type { Vault } from "../core/vault/ports.ts";

/**
 * All resources that this function may use: no instances, no grants; it writes transients and does not read
 * them.
 */
export interface AuthorizationDeps {
  readonly tenants: TenantStore & RegisteredApps;
  readonly transients: Pick<TransientStore, "put" | "now">;
  readonly vault: Vault;
  readonly proxies: Pick<OAuthProxies, "get">;
  /** Called only for a connector that needs discovery. */
  readonly discover: () => Discover;
}

let made: AuthorizationDeps | undefined;

/** Made at the first call that needs them: calls of the catalogue do not. */
export function deps(): AuthorizationDeps {
  made ??= {
    tenants: {
      ...tenants(),
      ...registeredApps({ client: store().documents, tableName: environment("TENANTS_TABLE") }),
    },
    transients: transientWriter({
      client: store().documents,
      tableName: environment("TRANSIENTS_TABLE"),
      clock: store().clock,
    }),
    vault: vault(),
    proxies: oauthProxyReader({ client: store().documents, tableName: environment("TENANTS_TABLE") }),
    discover,
  };
  return made;
}
