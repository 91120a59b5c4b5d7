import type { Grant, Instance } from "../instances/instance.ts";
import { connectorOf } from "./commit.ts";
import type { Call, GrantParts } from "./grant-parts.ts";
import { revokeOrOwe } from "./keep-grant.ts";
import type { RescueRecord } from "./ports.ts";
import { openGrant } from "./sealed-grant.ts";

type Owner = Pick<Instance, "id" | "organizationId" | "connector">;

/**
 * LOSER: ends a grant that belongs to no instance any more. Where revocation ends the user's whole grant: nothing, it would
 * kill the living one.
 * @returns false: the vendor did not take it; try again later
 */
export async function revokeLoser(
  parts: Pick<GrantParts, "connectors" | "clients" | "tokens">,
  owner: Owner,
  grant: Grant,
): Promise<boolean> {
  const connector = connectorOf(parts, owner.connector);
  if (connector.oauth2.revocation?.ends !== "token") return true;
  try {
    const client = await parts.clients.resolve(owner.organizationId, connector.key, grant.client);
    return await parts.tokens.revoke(connector, client, grant);
  } catch {
    return false;
  }
}

/**
 * LOSER for one whose process may end before the vendor takes the revocation: what fails is laid into the rescue bucket,
 * where the rescue worker tries again. Such a record can never be committed: the version or epoch it asks for is history.
 */
export async function revokeLoserOrOwe(
  parts: GrantParts,
  call: Pick<Call, "remainingMs">,
  owner: Owner,
  grant: Grant,
  record: RescueRecord,
): Promise<void> {
  try {
    await revokeOrOwe(parts, call, owner.id, () => revokeLoser(parts, owner, grant), record);
  } catch {
    parts.outcome({ outcome: "lost", connector: owner.connector, instanceId: owner.id, cause: "rescue" });
  }
}

/** Opens what a record holds and ends it. */
export async function revokeRecorded(
  parts: Pick<GrantParts, "connectors" | "clients" | "tokens" | "vault">,
  owner: Owner,
  version: number | string,
  sealed: Uint8Array,
): Promise<boolean> {
  if (connectorOf(parts, owner.connector).oauth2.revocation?.ends !== "token") return true;
  return await revokeLoser(parts, owner, await openGrant(parts.vault, owner, version, sealed));
}
