/** Keys of the tenants table (`id`, `item`). An organization, its users and its apps are one partition. */
export interface TenantKey {
  readonly id: string;
  readonly item: string;
}

export const organizationKey = (id: string): TenantKey => ({
  id: `organization#${id}`,
  item: "organization",
});

export const userPrefix = "user#";

export const userKey = (organizationId: string, userId: string): TenantKey => ({
  id: `organization#${organizationId}`,
  item: `${userPrefix}${userId}`,
});

/** All apps, or those of one connector, in the order in which they were registered (an app's id begins with that time). */
export const appPrefix = (connector?: string): string =>
  connector === undefined ? "app#" : `app#${connector}#`;

export const appKey = (organizationId: string, connector: string, appId: string): TenantKey => ({
  id: `organization#${organizationId}`,
  item: `${appPrefix(connector)}${appId}`,
});

/** Points from a secret's hash to its owner. */
export const secretKey = (hash: string): TenantKey => ({ id: `secret#${hash}`, item: "secret" });

/** OAuth proxies have a partition of their own, which roles name (lib/permissions.ts). */
export const oauthProxyPartition = (organizationId: string): string => `oauth-proxies#${organizationId}`;

export const oauthProxyKey = (organizationId: string, id: number): TenantKey => ({
  id: oauthProxyPartition(organizationId),
  item: String(id),
});
