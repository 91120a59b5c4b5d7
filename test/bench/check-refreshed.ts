import { instanceTable } from "../../functions/aws/instance-table.ts";
import { openGrant } from "../../functions/core/grant/sealed-grant.ts";
import type { BenchWorld } from "./bench-world.ts";
import { instancesTable, type Seeded } from "./seed-instances.ts";

/**
 * What was measured must have been refreshes: each instance once at the vendor, and the token that the vendor gave last is what
 * the table holds, sealed, under the new version, due again later, with no lease left.
 * @throws {Error} naming the first instance that is otherwise
 */
export async function checkRefreshed(world: BenchWorld, seeded: readonly Seeded[]): Promise<void> {
  const table = instanceTable({
    client: world.operator.documents,
    tableName: instancesTable(world),
    shards: world.shards,
  });
  const found = new Map(
    (await table.getMany(seeded.map(({ id }) => id))).map((instance) => [instance.id, instance]),
  );
  for (const { id, refreshToken } of seeded) {
    const wrong = (what: string): Error => new Error(`instance ${id} ${what}`);
    const times = world.tokens.redeemed(refreshToken);
    if (times !== 1) throw wrong(`was refreshed ${times} times at the vendor`);
    const instance = found.get(id);
    if (instance === undefined) throw wrong("is gone");
    if (instance.version !== 2 || instance.until !== undefined) throw wrong("was not committed");
    if (!((instance.dueAt ?? 0) > Date.now())) throw wrong("is still due");
    const grant = await openGrant(world.vault, instance, instance.version, instance.grant);
    if (grant.accessToken !== world.tokens.accessTokenOf(refreshToken)) throw wrong("holds another token");
  }
}
