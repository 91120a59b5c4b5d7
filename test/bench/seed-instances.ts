import { BatchWriteCommand } from "@aws-sdk/lib-dynamodb";
import { itemOf } from "../../functions/aws/instances/item.ts";
import { dueTimeOf } from "../../functions/core/grant/store/due.ts";
import { refreshGroup } from "../../functions/core/grant/store/refresh-group.ts";
import { sealGrant } from "../../functions/core/grant/store/sealed-grant.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import type { Grant, Instance } from "../../functions/core/instances/instance.ts";
import { newInstanceId, newInstanceToken } from "../../functions/core/instances/instance-token.ts";
import type { BenchWorld, Tenant } from "./bench-world.ts";

/**
 * The most items of one BatchWriteItem:
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
 */
const BATCH = 25;
/** Number of batches that are sent at the same time, while more grants are sealed. */
const BATCHES_AT_ONCE = 4;
const DAY_MS = 86_400_000;

export interface Seeded {
  readonly id: number;
  readonly refreshToken: string;
}

/**
 * Puts connected instances into the table as a sign-in would leave them: sealed grants that can be opened, due at the time
 * that the grant's own rules set.
 * @param lived share of its token's life that has passed for each grant: 0 is new, 0.9 is overdue
 */
export async function seedInstances(
  world: BenchWorld,
  ids: readonly number[],
  lived: number,
): Promise<Seeded[]> {
  const seeded: Seeded[] = [];
  const under = new Set<Promise<void>>();
  for (let start = 0; start < ids.length; start += BATCH) {
    const made = await Promise.all(ids.slice(start, start + BATCH).map((id) => connected(world, id, lived)));
    seeded.push(...made.map(({ instance: { id }, refreshToken }) => ({ id, refreshToken })));
    const writing = write(
      world,
      made.map(({ instance }) => instance),
    ).finally(() => under.delete(writing));
    under.add(writing);
    if (under.size >= BATCHES_AT_ONCE) await Promise.race(under);
  }
  await Promise.all(under);
  return seeded;
}

export const newIds = (count: number): number[] => Array.from({ length: count }, newInstanceId);

async function write(world: BenchWorld, instances: readonly Instance[]): Promise<void> {
  const table = instancesTable(world);
  const { UnprocessedItems } = await world.operator.documents.send(
    new BatchWriteCommand({
      RequestItems: {
        [table]: instances.map((instance) => ({ PutRequest: { Item: itemOf(instance, world.shards) } })),
      },
    }),
  );
  if (Object.keys(UnprocessedItems ?? {}).length > 0) throw new Error("the table did not take a whole batch");
}

export function instancesTable(world: BenchWorld): string {
  const table = world.functionCalled("RefreshWorker").environment.INSTANCES_TABLE;
  if (table === undefined) throw new Error("the stacks do not set INSTANCES_TABLE");
  return table;
}

async function connected(
  world: BenchWorld,
  id: number,
  lived: number,
): Promise<{ instance: Instance; refreshToken: string }> {
  const { connector, tenants, tokens } = world;
  const { organizationId, appId, sealer } = tenants[id % tenants.length] as Tenant;
  const { refreshToken, accessToken, lifetimeMs } = tokens.issue();
  const now = Date.now();
  const obtainedAt = Math.floor(now - lived * lifetimeMs);
  const grant: Grant = {
    accessToken,
    tokenType: "bearer",
    refreshToken,
    scope: connector.oauth2.scopes.default.join(" "),
    obtainedAt,
    expiresAt: obtainedAt + lifetimeMs,
    obtainedBy: "exchange",
    client: { kind: "registered", appId },
  };
  const clockwork = { timing, random: Math.random, activeWindowMs: 7 * DAY_MS };
  const due = dueTimeOf(clockwork, connector, grant, { createdAt: obtainedAt }, now);
  const instance: Instance = {
    id,
    organizationId,
    userId: `user-${id % 100}`,
    connector: connector.key,
    name: "Bench",
    tags: ["bench"],
    createdAt: obtainedAt,
    updatedAt: obtainedAt,
    configuration: { "oauth.callback.url": "https://app.example/callback" },
    secretConfigurationKeys: [],
    tokenHashes: [{ hash: newInstanceToken(id).hash }],
    fence: 1,
    version: 1,
    epoch: `${String(obtainedAt).padStart(15, "0")}-bench`,
    grant: await sealGrant(sealer, { id, organizationId }, 1, grant),
    enabled: true,
    refreshGroup: refreshGroup(connector.key, tokens.client.id),
    account: { id: `dbid:${id}`, name: "Ada Bench", email: "ada@example.com" },
    ...(due === undefined ? {} : { dueAt: due }),
  };
  return { instance, refreshToken };
}
