import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { instanceTable } from "../../functions/aws/instances/table.ts";
import { RESCUE_PREFIX } from "../../functions/aws/rescue/record.ts";
import { openGrant } from "../../functions/core/grant/store/sealed-grant.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import type { BenchWorld } from "./bench-world.ts";
import { instancesTable, type Seeded } from "./seed-instances.ts";

/** A broken store has many wrong instances; the first ones show what is broken. */
const MOST_TOLD = 20;

/**
 * Checks that each instance was really refreshed: once at the vendor; the table holds the vendor's last token, sealed, under
 * the new version; the instance is due again later and has no lease.
 * @returns a line for each instance that is not so: what is wrong with it, and what the table and the rescue bucket hold of
 * it
 */
export async function checkRefreshed(world: BenchWorld, seeded: readonly Seeded[]): Promise<string[]> {
  const table = instanceTable({
    client: world.operator.documents,
    tableName: instancesTable(world),
    shards: world.shards,
  });
  const found = new Map(
    (await table.getMany(seeded.map(({ id }) => id))).map((instance) => [instance.id, instance]),
  );
  const wrong: string[] = [];
  for (const one of seeded) {
    const instance = found.get(one.id);
    const what = await whatIsWrong(world, one, instance);
    if (what === undefined) continue;
    wrong.push(`instance ${one.id} ${what}: ${howItLies(instance)}; ${await rescueKeys(world, one.id)}`);
    if (wrong.length === MOST_TOLD) return [...wrong, "and perhaps more"];
  }
  return wrong;
}

async function whatIsWrong(
  world: BenchWorld,
  { refreshToken }: Seeded,
  instance: Instance | undefined,
): Promise<string | undefined> {
  const times = world.tokens.redeemed(refreshToken);
  if (times !== 1) return `was refreshed ${times} times at the vendor`;
  if (instance === undefined) return "is gone";
  if (instance.version !== 2 || instance.until !== undefined) return "was not committed";
  if (!((instance.dueAt ?? 0) > Date.now())) return "is still due";
  try {
    const grant = await openGrant(world.vault, instance, instance.version, instance.grant);
    return grant.accessToken === world.tokens.accessTokenOf(refreshToken) ? undefined : "holds another token";
  } catch (error) {
    return `does not open (${(error as Error).message})`;
  }
}

function howItLies(instance: Instance | undefined): string {
  if (instance === undefined) return "no item";
  const { version, fence, until, dueAt } = instance;
  return `version ${version}, fence ${fence}, lease until ${timeOf(until)}, due at ${timeOf(dueAt)}`;
}

function timeOf(at: number | undefined): string {
  if (at === undefined) return "none";
  return `${new Date(at).toISOString()} (${Math.round((at - Date.now()) / 1000)} s from now)`;
}

async function rescueKeys(world: BenchWorld, id: number): Promise<string> {
  const { Contents = [] } = await world.objects.send(
    new ListObjectsV2Command({ Bucket: world.rescueBucket, Prefix: `${RESCUE_PREFIX}${id}/` }),
  );
  return Contents.length === 0 ? "no rescue record" : `rescue ${Contents.map(({ Key }) => Key).join(", ")}`;
}
