/** Keys of the tenants table (`id`, `item`). An organization, its users and its apps are one partition. */
export interface TenantKey {
  readonly id: string;
  readonly item: string;
}

export const organizationKey = (id: string): TenantKey => ({
  id: `organization#${id}`,
  item: "organization",
});

export const brandingKey = (id: string): TenantKey => ({ id: `organization#${id}`, item: "branding" });

export const userPrefix = "user#";

export const userKey = (organizationId: string, userId: string): TenantKey => ({
  id: `organization#${organizationId}`,
  item: `${userPrefix}${userId}`,
});

/**
 * Prefix of all apps, or of one connector's apps. They sort in the order of their registration, because an
 * app's id begins with that time.
 */
export const appPrefix = (connector?: string): string =>
  connector === undefined ? "app#" : `app#${connector}#`;

export const appKey = (organizationId: string, connector: string, appId: string): TenantKey => ({
  id: `organization#${organizationId}`,
  item: `${appPrefix(connector)}${appId}`,
});

/** Key of the item that points from a secret's hash to the secret's owner. */
export const secretKey = (hash: string): TenantKey => ({ id: `secret#${hash}`, item: "secret" });

/** OAuth proxies have a partition of their own, which roles name (lib/permissions.ts). */
export const oauthProxyPartition = (organizationId: string): string => `oauth-proxies#${organizationId}`;

export const oauthProxyKey = (organizationId: string, id: number): TenantKey => ({
  id: oauthProxyPartition(organizationId),
  item: String(id),
});
