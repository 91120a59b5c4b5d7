import type { Grant, Instance } from "../../instances/instance.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import { SealBroken } from "../../vault/sealed-format.ts";
import { connectorOf } from "../connector-of.ts";
import type { Call, GrantDeps } from "../grant-deps.ts";
import { isEmptied } from "../store/death.ts";
import { openGrant } from "../store/sealed-grant.ts";
import { revokeOrDefer } from "../store/store-or-rescue.ts";

type Owner = Pick<Instance, "id" | "organizationId" | "connector">;

/**
 * Revokes a grant that no instance uses, because its write lost a race. Does nothing if revocation would also
 * end the live grant, or if the instance has the same token: some vendors return the same token at a new
 * sign-in, and vendors that do not rotate return it with each refresh.
 * @returns false: the vendor did not take it, or the stores did not answer; try again later
 */
export async function revokeOrphan(
  deps: Pick<GrantDeps, "instances" | "vault" | "connectors" | "clients" | "tokens">,
  owner: Owner,
  grant: Grant,
): Promise<boolean> {
  const connector = connectorOf(deps, owner.connector);
  if (connector.oauth2.revocation?.ends !== "token") return true;
  if (isEmptied(grant)) return true;
  try {
    if (await isLivedBy(deps, owner.id, grant)) return true;
    const client = await deps.clients.resolve(owner.organizationId, connector.key, grant.client);
    return await deps.tokens.revoke(connector, client, grant);
  } catch {
    return false;
  }
}

/** @throws a store does not answer, or the stored grant cannot be opened */
async function isLivedBy(
  deps: Pick<GrantDeps, "instances" | "vault">,
  instanceId: number,
  grant: Grant,
): Promise<boolean> {
  const { value: instance } = await deps.instances.get(instanceId);
  if (instance === undefined || instance.deleting === true) return false;
  const stored = await openUnlessBroken(deps, instance, instance.version, instance.grant);
  if (stored === undefined) return false;
  return grant.refreshToken === undefined
    ? grant.accessToken === stored.accessToken
    : grant.refreshToken === stored.refreshToken;
}

/**
 * LOSER, for a process that may end before the vendor takes the revocation: a failed revocation is put into the
 * rescue bucket, and the rescue worker tries again. Such a record can never be committed, because its version
 * or epoch is out of date.
 * @returns `lost`: neither was possible; counted here
 */
export async function revokeOrphanOrDefer(
  deps: GrantDeps,
  call: Pick<Call, "remainingMs">,
  owner: Owner,
  grant: Grant,
  record: () => Promise<RescueRecord>,
): Promise<"revoked" | "owed" | "lost"> {
  try {
    return await revokeOrDefer(deps, call, owner.id, () => revokeOrphan(deps, owner, grant), record);
  } catch {
    deps.outcome({ outcome: "lost", connector: owner.connector, instanceId: owner.id, cause: "rescue" });
    return "lost";
  }
}

/** Opens a record's grant and revokes it. @returns false: not revoked yet; if the seal is broken, it never will be */
export async function revokeRecorded(
  deps: Pick<GrantDeps, "instances" | "connectors" | "clients" | "tokens" | "vault">,
  owner: Owner,
  version: number | string,
  sealed: Uint8Array,
): Promise<boolean> {
  if (connectorOf(deps, owner.connector).oauth2.revocation?.ends !== "token") return true;
  const grant = await openUnlessBroken(deps, owner, version, sealed);
  return grant !== undefined && (await revokeOrphan(deps, owner, grant));
}

/**
 * @returns undefined: its key is shredded, or it was tampered with, so it can never be opened.
 * @throws the key service does not answer
 */
export async function openUnlessBroken(
  deps: Pick<GrantDeps, "vault">,
  owner: Pick<Instance, "id" | "organizationId">,
  version: number | string,
  sealed: Uint8Array,
): Promise<Grant | undefined> {
  try {
    return await openGrant(deps.vault, owner, version, sealed);
  } catch (error) {
    if (error instanceof SealBroken) return undefined;
    throw error;
  }
}
