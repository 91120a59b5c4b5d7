import type { Connector } from "../../../connectors/define-connector.ts";
import { budgets, itemBytes } from "../../instances/budgets.ts";
import type { Instance, ReplacedGrant } from "../../instances/instance.ts";
import type { GrantDeps } from "../grant-deps.ts";
import { openUnlessBroken, revokeOrphan } from "../revocation/revoke-orphan.ts";
import { withTimeout } from "../with-timeout.ts";

/** A worker comes by within minutes, so only crashes in a row bring more than one: the item must not grow without end. */
const MOST_REPLACED = 8;

/**
 * What is to end when a sign-in takes the place of what is stored: that grant, and what earlier sign-ins have left there. Where
 * the vendor does not revoke single tokens: nothing.
 * @param room bytes that the item has left for them
 * @param carries the new grant keeps the refresh token of the stored one: then the stored grant is not revoked
 * @returns `dropped`: so many find no place any more; lost once this is written
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
 * Ends what sign-ins have replaced, and takes it off the item. By the one who signed in, and by a worker where that process
 * ended before. What the vendor does not take is laid into the rescue bucket, where it is tried for 7 days; a grant stays on
 * the item if it cannot be opened now, or if both vendor and bucket fail. Never throws.
 * @returns whether nothing is left on the item
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

/** @throws neither is possible now */
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
