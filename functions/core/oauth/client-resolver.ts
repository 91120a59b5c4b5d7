import { NotFound } from "../errors.ts";
import type { TenantStore } from "../tenants/ports.ts";
import type { Vault } from "../vault/ports.ts";
import type { ClientResolver } from "./ports.ts";

/** Finds the id and secret with which a grant's OAuth client authenticates at the vendor's token endpoint. */
export function clientResolver(deps: {
  readonly tenants: Pick<TenantStore, "registeredAppById">;
  readonly vault: Pick<Vault, "open">;
}): ClientResolver {
  return {
    async resolve(organizationId, connector, client) {
      // Removes blanks that were stored with a pasted value.
      if (client.kind === "own") return { id: client.id.trim(), secret: client.secret.trim() };
      const app = await deps.tenants.registeredAppById(organizationId, connector, client.appId);
      if (app === undefined) {
        throw new NotFound(
          `the app that this connection was made with is no longer registered for ${connector}`,
          "unknown_app",
        );
      }
      const secret = await deps.vault.open(clientSecretPlace(organizationId, app.id), app.clientSecret);
      return { id: app.clientId.trim(), secret: secret.trim() };
    },
  };
}

/** The place for which a registered app's client secret is sealed. */
export function clientSecretPlace(organizationId: string, appId: string) {
  return { organizationId, item: `app/${appId}`, field: "client-secret" } as const;
}
