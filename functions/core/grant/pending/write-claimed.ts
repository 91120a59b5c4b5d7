import type { Grant, Instance } from "../../instances/instance.ts";
import { newInstanceToken } from "../../instances/instance-token.ts";
import type { PendingInstance, PendingSignIn } from "../../instances/pending-sign-in.ts";
import { present } from "../../present.ts";
import { StoreRefused } from "../../store-refused.ts";
import type { Sealer } from "../../vault/ports.ts";
import { announce } from "../announce.ts";
import { connectorOf } from "../connector-of.ts";
import { noteAccount } from "../consent/account.ts";
import { consentKey } from "../consent/key.ts";
import type { Call, ProvisioningDeps } from "../grant-deps.ts";
import { tellMissingScopes } from "../scopes.ts";
import { afterSignIn } from "../sign-in/after-sign-in.ts";
import { lacksRefreshToken } from "../sign-in/carry-over.ts";
import { writeSignIn } from "../sign-in/write-sign-in.ts";
import { dueTimeOf } from "../store/due.ts";
import { sealGrant } from "../store/sealed-grant.ts";
import { openPending } from "../store/sealed-pending.ts";
import { storeWhatItCan } from "../store/store-or-rescue.ts";

export type ClaimWritten =
  | { readonly kind: "written"; readonly instance: Instance }
  /**
   * Final: a later sign-in won, the instance is deleted or being deleted (`now`: its current state), or the
   * grant does not fit into the table.
   */
  | { readonly kind: "lost"; readonly now: Instance | undefined; readonly refused?: StoreRefused };

/**
 * CLAIM, the write: stores the grant of a claimed sign-in in its instance. Runs in the claiming process or in a
 * worker; may be repeated.
 * @param now store time
 * @throws a store or the vault does not answer: the write may or may not have happened
 */
export async function writeClaimed(
  deps: ProvisioningDeps,
  pending: PendingSignIn,
  now: number,
  call: Call,
): Promise<ClaimWritten> {
  const opened = await openPending(deps.vault, pending);
  const sealer = await deps.vault.prepare(pending.organizationId);
  const { newInstance } = pending;
  const write = (grant: Grant): Promise<ClaimWritten> =>
    newInstance === undefined
      ? signInTo(deps, pending, { grant, sealer, now }, call)
      : create(deps, pending, newInstance, { grant, sealer, now }, call);
  try {
    return (await storeWhatItCan(connectorOf(deps, pending.connector), opened, write)).kept;
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error;
    return { kind: "lost", now: undefined, refused: error };
  }
}

interface Opened {
  readonly grant: Grant;
  readonly sealer: Sealer;
  readonly now: number;
}

async function signInTo(
  deps: ProvisioningDeps,
  { instanceId, organizationId, connector, epoch, refreshGroup, account, accountBefore }: PendingSignIn,
  { grant, sealer, now }: Opened,
  call: Call,
): Promise<ClaimWritten> {
  const signIn = {
    kind: "sign-in" as const,
    instanceId,
    organizationId,
    connector,
    epoch,
    at: now,
    refreshGroup,
    ...(account === undefined ? {} : { changes: { account } }),
    ...present({ accountBefore }),
  };
  const result = await writeSignIn(deps, { signIn, grant, sealer });
  if (result.kind === "lost") return result;
  return { kind: "written", instance: await afterSignIn(deps, result, signIn, grant, call) };
}

async function create(
  deps: ProvisioningDeps,
  pending: PendingSignIn,
  about: PendingInstance,
  opened: Opened,
  call: Call,
): Promise<ClaimWritten> {
  const instance = await instanceFrom(deps, pending, about, opened);
  if (await deps.instances.create(instance)) {
    // Another process may have created the instance, and its owner deleted it, before this write. The deletion
    // marks the pending item, and the item is kept longer than this process runs. So check it here, and delete
    // the new instance again.
    const { value } = await deps.pendings.get(pending);
    if (value === undefined || value.endingSince !== undefined) {
      await deps.instances.markDeleting(instance.id, opened.now);
      return { kind: "lost", now: undefined };
    }
    return made(deps, instance, opened, call);
  }
  const { value: found } = await deps.instances.get(instance.id);
  if (!isMadeFrom(found, pending) || found.deleting === true) return { kind: "lost", now: found };
  return made(deps, found, opened, call);
}

/**
 * The steps after a creation also run if another process created the instance, because that process may have
 * crashed before them.
 */
function made(deps: ProvisioningDeps, instance: Instance, opened: Opened, call: Call): ClaimWritten {
  const connector = connectorOf(deps, instance.connector);
  announce(deps, call, instance, { name: "instance.created", at: instance.createdAt, of: "create" });
  tellMissingScopes(deps, call, connector, instance, opened.grant, opened.now);
  if (instance.account === undefined) {
    call.afterAnswer(noteAccount(deps, connector, instance, opened.grant));
  }
  return { kind: "written", instance };
}

/** Whether this instance was created from this pending sign-in. */
export function isMadeFrom(
  instance: Instance | undefined,
  pending: Pick<PendingSignIn, "organizationId" | "at">,
): instance is Instance {
  return instance?.organizationId === pending.organizationId && instance.createdAt === pending.at;
}

async function instanceFrom(
  deps: ProvisioningDeps,
  { instanceId: id, organizationId, userId, at, epoch, refreshGroup, account, ...pending }: PendingSignIn,
  about: PendingInstance,
  { grant, sealer, now }: Opened,
): Promise<Instance> {
  const connector = connectorOf(deps, pending.connector);
  const due = dueTimeOf(deps, connector, grant, { createdAt: at }, now);
  const consent = consentKey(connector, refreshGroup, account);
  return {
    id,
    organizationId,
    userId,
    connector: connector.key,
    ...about,
    // The time of the sign-in, because every process writes the same value, and `isMadeFrom` compares it.
    createdAt: at,
    updatedAt: at,
    // This token is never shown: the answer to the claim has a new one.
    tokenHashes: [{ hash: newInstanceToken(id).hash }],
    fence: 1,
    version: 1,
    epoch,
    grant: await sealGrant(sealer, { id, organizationId }, 1, grant),
    enabled: true,
    ...(lacksRefreshToken(connector, grant) ? { refreshable: false } : {}),
    ...present({ dueAt: due }),
    refreshGroup,
    ...present({ consentKey: consent, account }),
  };
}
