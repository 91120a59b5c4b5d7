import type { Grant, Sealed } from "../../instances/instance.ts";
import type { PendingSignIn } from "../../instances/pending-sign-in.ts";
import type { Sealer, Vault } from "../../vault/ports.ts";
import { openGrant, sealGrant } from "./sealed-grant.ts";

type Place = Pick<PendingSignIn, "instanceId" | "organizationId" | "epoch">;

/**
 * The version that a pending sign-in's grant is sealed for; with it the grant cannot be opened as that of an
 * instance.
 */
export function pendingVersion({ epoch }: Pick<PendingSignIn, "epoch">): string {
  return `pending-${epoch}`;
}

export async function sealPending(sealer: Sealer, pending: Place, grant: Grant): Promise<Sealed> {
  const { instanceId: id, organizationId } = pending;
  return await sealGrant(sealer, { id, organizationId }, pendingVersion(pending), grant);
}

/** @throws {SealBroken} moved, tampered with, or its key is shredded */
export async function openPending(
  vault: Vault,
  pending: Place & Pick<PendingSignIn, "grant">,
): Promise<Grant> {
  const { instanceId: id, organizationId } = pending;
  return await openGrant(vault, { id, organizationId }, pendingVersion(pending), pending.grant);
}
