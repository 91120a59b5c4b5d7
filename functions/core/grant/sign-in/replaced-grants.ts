import type { Connector } from "../../../connectors/define-connector.ts";
import { budgets, itemBytes } from "../../instances/budgets.ts";
import type { Instance, ReplacedGrant } from "../../instances/instance.ts";
import type { GrantDeps } from "../grant-deps.ts";
import { openUnlessBroken, revokeOrphan } from "../revocation/revoke-orphan.ts";
import { withTimeout } from "../with-timeout.ts";

/**
 * A worker revokes replaced grants within minutes, so only several crashes in a row leave more than one. The
 * limit keeps the item from growing without end.
 */
const MOST_REPLACED = 8;

/**
 * The grants that must end when a sign-in replaces the stored grant: the stored grant, and those that earlier
 * sign-ins have left on the item. None if the vendor does not revoke single tokens.
 * @param room bytes that the item has left for them
 * @param carries the new grant keeps the refresh token of the stored one: then the stored grant is not revoked
 * @returns `dropped`: number of grants for which there is no room; they are lost once this is written
 */
export function replacedBy(
  connector: Connector,
  { version, grant, replacedGrants = [] }: Instance,
  at: number,
  room: number,
  carries: boolean,
): { readonly replacedGrants?: readonly ReplacedGrant[]; readonly dropped: number } {
  if (connector.oauth2.revocation?.ends !== "token") return { dropped: 0 };
  const all = carries ? replacedGrants : [...replacedGrants, { version, grant, at }];
  const kept: ReplacedGrant[] = [];
  let left = Math.min(room, budgets.replacedGrants);
  for (const each of all.toReversed()) {
    const bytes = itemBytes({ ...each });
    if (kept.length === MOST_REPLACED || bytes > left) continue;
    left -= bytes;
    kept.unshift(each);
  }
  return {
    ...(kept.length === 0 ? {} : { replacedGrants: kept }),
    dropped: all.length - kept.length,
  };
}

/**
 * Revokes the grants that sign-ins have replaced, and removes them from the item. Runs in the process of the
 * sign-in, and in a worker if that process ended before. A failed revocation is put into the rescue bucket,
 * where it is retried for 7 days. A grant stays on the item if it cannot be opened now, or if both vendor and
 * bucket fail. Never throws.
 * @returns whether the item has no replaced grants any more
 */
export async function endReplaced(deps: GrantDeps, instance: Instance): Promise<boolean> {
  const { id, epoch, replacedGrants } = instance;
  if (replacedGrants === undefined) return true;
  try {
    for (const replaced of replacedGrants) await endOrDefer(deps, instance, replaced);
    return await deps.instances.forgetReplaced(id, { epoch });
  } catch {
    return false;
  }
}

/** @throws neither the vendor nor the bucket took it, or a store does not answer */
async function endOrDefer(
  deps: GrantDeps,
  { id, organizationId, connector }: Instance,
  { version, grant, at }: ReplacedGrant,
): Promise<void> {
  const owner = { id, organizationId, connector };
  const old = await openUnlessBroken(deps, owner, version, grant);
  if (old === undefined || (await revokeOrphan(deps, owner, old))) return;
  const owed = deps.rescue.put({
    kind: "refresh",
    instanceId: id,
    organizationId,
    connector,
    // Lower than every sign-in's epoch, and this version is never stored again: COMMIT always fails, so the rescue worker
    // revokes the grant.
    epoch: "",
    baseVersion: version,
    fence: version,
    grant,
    refreshedAt: at,
  });
  await withTimeout(deps, deps.timing.storeTryMs, owed);
}
