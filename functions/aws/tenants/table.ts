import { type DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { LRUCache } from "lru-cache";
import { hashSecret } from "../../core/secret-hash.ts";
import type {
  Organization,
  RegisteredApp,
  RegisteredApps,
  TenantStore,
  User,
} from "../../core/tenants/ports.ts";
import { appKey, appPrefix, organizationKey, secretKey, userKey } from "./keys.ts";

/** A suspension, a new allow-list or a deleted secret takes effect in all functions within this time. */
const CACHE_MS = 30_000;
/** Most cached items, about 1 kB each. The cache drops the least recently read item first. */
const CACHE_ITEMS = 2_000;

/**
 * The tenants table as the functions read it. Caches the organizations, users and secrets that it finds. Does
 * not cache that an item is missing, so that guesses cannot fill the cache and a new tenant works at once.
 */
export function tenantTable(options: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  /** Monotonic clock in milliseconds, for tests. */
  readonly monotonic?: () => number;
  readonly cacheItems?: number;
}): TenantStore {
  const { client, tableName, monotonic = () => performance.now(), cacheItems = CACHE_ITEMS } = options;
  const cache = new LRUCache<string, object>({
    max: cacheItems,
    ttl: CACHE_MS,
    ttlResolution: 0,
    perf: { now: monotonic },
  });

  async function read<T extends object>(key: { id: string; item: string }): Promise<T | undefined> {
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
    );
    return Item?.value as T | undefined;
  }

  async function cached<T extends object>(
    key: { id: string; item: string },
    fresh = false,
  ): Promise<T | undefined> {
    const name = `${key.id}\n${key.item}`;
    const known = fresh ? undefined : cache.get(name);
    if (known !== undefined) return known as T;
    cache.delete(name);
    const value = await read<T>(key);
    if (value !== undefined) cache.set(name, value);
    return value;
  }

  return {
    organization: (id, options) => cached<Organization>(organizationKey(id), options?.fresh),
    user: (organizationId, userId, options) => cached<User>(userKey(organizationId, userId), options?.fresh),
    bySecret: (secret) => cached(secretKey(hashSecret(secret))),
    registeredAppById: (organizationId, connector, appId) =>
      read<RegisteredApp>(appKey(organizationId, connector, appId)),
  };
}

/** The apps that organizations registered at vendors, in the tenants table; oldest first, never cached. */
export function registeredApps(options: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}): RegisteredApps {
  return {
    async registeredApp(organizationId, connector) {
      const { Items } = await options.client.send(
        new QueryCommand({
          TableName: options.tableName,
          KeyConditionExpression: "id = :id AND begins_with(#item, :prefix)",
          ExpressionAttributeNames: { "#item": "item" },
          ExpressionAttributeValues: {
            ":id": organizationKey(organizationId).id,
            ":prefix": appPrefix(connector),
          },
          ConsistentRead: true,
          Limit: 1,
        }),
      );
      return Items?.[0]?.value as RegisteredApp | undefined;
    },
  };
}
