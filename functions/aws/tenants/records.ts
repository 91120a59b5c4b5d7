import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { present } from "../../core/present.ts";
import type {
  Organization,
  RegisteredApp,
  SuspendedUsers,
  TenantRecords,
  User,
} from "../../core/tenants/ports.ts";
import { conditionHeld } from "../conditional-write.ts";
import { brandingReader } from "./branding.ts";
import {
  appKey,
  appPrefix,
  brandingKey,
  oauthProxyKey,
  organizationKey,
  secretKey,
  type TenantKey,
  userKey,
  userPrefix,
} from "./keys.ts";
import { oauthProxies } from "./oauth-proxies.ts";

interface TableOptions {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
}

interface TenantItem extends TenantKey {
  readonly value: unknown;
}

/**
 * The tenants table for the operator's command line (`npm run admin`); no function's bundle holds this code.
 */
export function tenantRecords(options: TableOptions): TenantRecords {
  const { client, tableName: TableName } = options;
  const { read, create, update, replace, remove } = itemWrites(options);
  const { query, scan } = itemLists(options);
  const list = async <T>(organizationId: string, prefix: string): Promise<T[]> =>
    (await query(organizationId, prefix)).map(({ value }) => value as T);
  return {
    ...suspendedUsers(options),
    organization: (id) => read<Organization>(organizationKey(id)),
    user: (organizationId, userId) => read<User>(userKey(organizationId, userId)),
    createOrganization: (organization) => create(organizationKey(organization.id), organization),
    updateOrganization: (id, changes) => update(organizationKey(id), changes),
    async setBranding(id, branding) {
      await client.send(new PutCommand({ TableName, Item: { ...brandingKey(id), value: branding } }));
    },
    branding: brandingReader(options),
    createUser: (user) => create(userKey(user.organizationId, user.id), user),
    updateUser: (organizationId, userId, changes) => update(userKey(organizationId, userId), changes),
    async putSecret(hash, owner) {
      await client.send(new PutCommand({ TableName, Item: { ...secretKey(hash), value: owner } }));
    },
    removeSecret: (hash) => remove(secretKey(hash)),
    createApp: (app) => create(appKey(app.organizationId, app.connector, app.id), app),
    updateApp: ({ organizationId, connector, id }, changes) =>
      update(appKey(organizationId, connector, id), changes),
    removeApp: ({ organizationId, connector, id }) => remove(appKey(organizationId, connector, id)),
    replaceDataKeys: (id, seen, to) =>
      replace(
        organizationKey(id),
        "dataKeys",
        to,
        seen.length === 0
          ? "size(#value.#field) = :length"
          : `size(#value.#field) = :length AND #value.#field[${seen.length - 1}].#id = :newest`,
        { ":length": seen.length, ...(seen.length === 0 ? {} : { ":newest": seen.at(-1)?.id }) },
        seen.length === 0 ? {} : { "#id": "id" },
      ),
    resealApp: ({ organizationId, connector, id, clientSecret }, sealed) =>
      replace(appKey(organizationId, connector, id), "clientSecret", sealed, "#value.#field = :seen", {
        ":seen": clientSecret,
      }),
    async removeOrganization(id) {
      const pointers = await scan("#value.organizationId = :organization", {
        ":item": "secret",
        ":organization": id,
      });
      const parts = [...(await query(id, userPrefix)), ...(await query(id, appPrefix()))];
      const proxies = await oauthProxies(options).list(id);
      const keys = [
        ...pointers,
        ...parts,
        ...proxies.map((proxy) => oauthProxyKey(id, proxy.id)),
        brandingKey(id),
      ];
      for (const { id: partition, item } of keys) await remove({ id: partition, item });
      await remove(organizationKey(id));
    },
    async listOrganizations() {
      const found = await scan("attribute_exists(#value)", { ":item": "organization" });
      return found.map(({ value }) => value as Organization).sort((a, b) => a.createdAt - b.createdAt);
    },
    listUsers: (organizationId) => list<User>(organizationId, userPrefix),
    listApps: (organizationId) => list<RegisteredApp>(organizationId, appPrefix()),
  };
}

/** Reads and writes of single items. */
function itemWrites({ client, tableName: TableName }: TableOptions) {
  async function read<T>(key: TenantKey): Promise<T | undefined> {
    const { Item } = await client.send(new GetCommand({ TableName, Key: key, ConsistentRead: true }));
    return Item?.value as T | undefined;
  }

  const create = (key: TenantKey, value: object) =>
    conditionHeld(
      client.send(
        new PutCommand({
          TableName,
          Item: { ...key, value },
          ConditionExpression: "attribute_not_exists(id)",
        }),
      ),
    );

  /** Sets single fields of `value`, so that two operators' changes do not undo each other. */
  async function update(key: TenantKey, changes: object): Promise<boolean> {
    const fields = Object.entries(changes).filter(([, value]) => value !== undefined);
    if (fields.length === 0) return (await read(key)) !== undefined;
    return conditionHeld(client.send(new UpdateCommand({ TableName, Key: key, ...settingFields(fields) })));
  }

  /** Sets one field of `value` if a condition on the item holds. */
  const replace = (
    key: TenantKey,
    field: string,
    value: unknown,
    condition: string,
    values: Readonly<Record<string, unknown>>,
    names: Readonly<Record<string, string>> = {},
  ) =>
    conditionHeld(
      client.send(
        new UpdateCommand({
          TableName,
          Key: key,
          UpdateExpression: "SET #value.#field = :to",
          ConditionExpression: condition,
          ExpressionAttributeNames: { "#value": "value", "#field": field, ...names },
          ExpressionAttributeValues: { ":to": value, ...values },
        }),
      ),
    );

  const remove = (key: TenantKey) =>
    conditionHeld(
      client.send(new DeleteCommand({ TableName, Key: key, ConditionExpression: "attribute_exists(id)" })),
    );

  return { read, create, update, replace, remove };
}

function settingFields(fields: readonly [name: string, value: unknown][]) {
  return {
    UpdateExpression: `SET ${fields.map((_, index) => `#value.#field${index} = :field${index}`).join(", ")}`,
    ConditionExpression: "attribute_exists(id)",
    ExpressionAttributeNames: {
      "#value": "value",
      ...Object.fromEntries(fields.map(([name], index) => [`#field${index}`, name])),
    },
    ExpressionAttributeValues: Object.fromEntries(
      fields.map(([, value], index) => [`:field${index}`, value]),
    ),
  };
}

/** Lists of items; each list reads all pages. */
function itemLists({ client, tableName: TableName }: TableOptions) {
  return {
    query: (organizationId: string, prefix: string) =>
      allPages((start) =>
        client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: "id = :id AND begins_with(#item, :prefix)",
            ExpressionAttributeNames: { "#item": "item" },
            ExpressionAttributeValues: { ":id": organizationKey(organizationId).id, ":prefix": prefix },
            ConsistentRead: true,
            ...present({ ExclusiveStartKey: start }),
          }),
        ),
      ),

    /** Reads the whole table, for rare operator commands whose items have no common key. */
    scan: (filter: string, values: Readonly<Record<string, unknown>>) =>
      allPages((start) =>
        client.send(
          new ScanCommand({
            TableName,
            FilterExpression: `#item = :item AND ${filter}`,
            ExpressionAttributeNames: { "#item": "item", "#value": "value" },
            ExpressionAttributeValues: values,
            ...present({ ExclusiveStartKey: start }),
          }),
        ),
      ),
  };
}

type TableKey = Record<string, unknown>;

async function allPages(
  read: (
    start: TableKey | undefined,
  ) => Promise<{ Items?: object[] | undefined; LastEvaluatedKey?: TableKey | undefined }>,
): Promise<TenantItem[]> {
  const found: TenantItem[] = [];
  let start: TableKey | undefined;
  do {
    const page = await read(start);
    found.push(...((page.Items ?? []) as TenantItem[]));
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return found;
}

/**
 * The list of suspended users in an organization's record. Each write adds or removes one id, on condition
 * that the id is absent or present, so that two operators' changes do not undo each other.
 */
function suspendedUsers(options: TableOptions): SuspendedUsers {
  const update = (
    organizationId: string,
    expression: string,
    condition: string,
    values: Readonly<Record<string, unknown>>,
  ): Promise<boolean> =>
    conditionHeld(
      options.client.send(
        new UpdateCommand({
          TableName: options.tableName,
          Key: organizationKey(organizationId),
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeNames: { "#value": "value", "#users": "suspendedUsers" },
          ExpressionAttributeValues: values,
        }),
      ),
    );
  return {
    beginSuspendedUsers: (organizationId, ids) =>
      update(
        organizationId,
        "SET #value.#users = :ids",
        "attribute_exists(id) AND attribute_not_exists(#value.#users)",
        { ":ids": ids },
      ),
    addSuspendedUser: (organizationId, userId, most) =>
      update(
        organizationId,
        "SET #value.#users = list_append(#value.#users, :one)",
        "size(#value.#users) < :most AND NOT contains(#value.#users, :id)",
        { ":one": [userId], ":id": userId, ":most": most },
      ),
    removeSuspendedUser: (organizationId, userId, index) =>
      update(organizationId, `REMOVE #value.#users[${index}]`, `#value.#users[${index}] = :id`, {
        ":id": userId,
      }),
  };
}
