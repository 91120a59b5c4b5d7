import type { Grant, Instance } from "../../instances/instance.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import { epochBeforeAll } from "../../instances/sign-in-epoch.ts";
import type { Sealer } from "../../vault/ports.ts";
import { sealGrant } from "../store/sealed-grant.ts";

/**
 * A record of a grant that must never be used: a sign-in whose epoch is before all others, so it can only end
 * in a revocation.
 * @param won `at`: store time from which its revocation is tried for 7 days
 */
export function revocationOnlyRecord(
  owner: Pick<Instance, "id" | "organizationId" | "connector">,
  won: { readonly grant: Grant; readonly sealer: Sealer; readonly epoch: string; readonly at: number },
): () => Promise<RescueRecord> {
  const epoch = epochBeforeAll(won.epoch);
  return async () => ({
    kind: "sign-in",
    instanceId: owner.id,
    organizationId: owner.organizationId,
    connector: owner.connector,
    epoch,
    at: won.at,
    grant: await sealGrant(won.sealer, owner, `signin-${epoch}`, won.grant),
  });
}
