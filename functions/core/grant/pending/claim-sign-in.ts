import type { Account } from "../../../connectors/define-connector.ts";
import { Conflict, NotFound } from "../../errors.ts";
import type { Instance } from "../../instances/instance.ts";
import type { PendingKey, PendingSignIn } from "../../instances/pending-sign-in.ts";
import { present } from "../../present.ts";
import { connectorOf } from "../connector-of.ts";
import { accountBefore, knownAccount, lookUpAccount } from "../consent/account.ts";
import { consentKey } from "../consent/key.ts";
import type { Call, GrantDeps, ProvisioningDeps, SignInDeps } from "../grant-deps.ts";
import { notStorable } from "../revocation/end-refused.ts";
import { endSoon } from "../store/end-soon.ts";
import { openPending } from "../store/sealed-pending.ts";
import { latestNow } from "../timing.ts";
import { findPending } from "./find-pending.ts";
import { writeClaimed } from "./write-claimed.ts";

export interface Claim {
  readonly pending: PendingKey;
  /** Whether the sign-in makes a new connection, rather than renewing an existing instance. */
  readonly isNew: boolean;
  /** Continue even if it is unknown whether the account is the same as before. */
  readonly acceptUnknownAccount?: boolean;
  /** Continue even if the account is another one. */
  readonly acceptOtherAccount?: boolean;
}

/**
 * CLAIM: stores the grant of a hosted sign-in in its instance. First the pending item is marked as claimed:
 * from then on a refusal, the cleanup of a later sign-in or the item's expiry does not end it. Then the grant
 * is written to the instance, here or by a worker. So the app may repeat a claim until it gets an answer.
 * @returns the instance that is signed in to
 * @throws {Conflict} `account_unknown` or `another_account`: nothing changed; claim again with the field that
 *   accepts this; `sign_in_superseded`: a later sign-in of the instance won
 * @throws {VendorError} `grant_not_storable`: the instance has no room for the grant, and the grant was ended
 * @throws {NotFound} `unknown_session`: the session has expired, or was refused; `unknown_instance`: the
 *   instance is deleted
 */
export async function claimSignIn(deps: ProvisioningDeps, claim: Claim, call: Call): Promise<Instance> {
  const { pending: key } = claim;
  const { value: pending, reading } = await findPending(deps, key);
  const now = latestNow(reading, deps.monotonic());
  if (pending === undefined) return await written(deps, claim);
  const marked = await mark(deps, pending, claim, now);
  const result = await writeClaimed(deps, marked, now, call);
  if (result.kind === "written") return result.instance;
  await endSoon(deps, marked, now, true);
  if (result.refused !== undefined) throw notStorable(connectorOf(deps, pending.connector), result.refused);
  throw isOvertaken(result.now, key) ? superseded() : goneOrOver(result.now, claim);
}

/** @returns the claimed sign-in, with the accounts that the claim accepted */
async function mark(
  deps: SignInDeps,
  pending: PendingSignIn,
  claim: Claim,
  now: number,
): Promise<PendingSignIn> {
  if (pending.claimedAt !== undefined && pending.endingSince === undefined) return pending;
  if (pending.endingSince !== undefined || now >= pending.endsAt) return await refuse(deps, claim);
  const accounts = await acceptedAccounts(deps, pending, claim, now);
  const consent = consentKey(connectorOf(deps, pending.connector), pending.refreshGroup, accounts.account);
  const known = { ...accounts, ...present({ consentKey: consent }) };
  const dueAt = now + deps.timing.claimedMs;
  if (!(await deps.pendings.markClaimed(pending, { at: now, dueAt, ...known }))) {
    return await refuse(deps, claim);
  }
  return { ...pending, ...known, claimedAt: pending.claimedAt ?? now };
}

/**
 * An instance must not change to another account unless the claim accepts this.
 * @returns the accounts of the pending sign-in and of the instance, as far as they are known
 */
async function acceptedAccounts(
  deps: SignInDeps,
  pending: PendingSignIn,
  claim: Claim,
  now: number,
): Promise<Pick<PendingSignIn, "account" | "accountBefore">> {
  const { newInstance } = pending;
  if (newInstance !== undefined) {
    return present({ account: await accountOf(deps, pending, newInstance.configuration) });
  }
  const { value: instance } = await deps.instances.get(pending.instanceId);
  if (instance === undefined || instance.deleting === true || isOvertaken(instance, pending)) {
    await endSoon(deps, pending, now);
    throw isOvertaken(instance, pending) ? superseded() : goneOrOver(instance, claim);
  }
  const account = await accountOf(deps, pending, instance.configuration);
  const before = await knownAccount(deps, instance);
  const { name } = connectorOf(deps, pending.connector);
  if (account === undefined || before === undefined) {
    if (claim.acceptUnknownAccount !== true) {
      throw new Conflict(
        `${name} does not report the account of ${account === undefined ? "this sign-in" : "the connection"}, so it is unknown whether the account is the same as before; claim again with acceptUnknownAccount: true if the user may change it`,
        "account_unknown",
        { field: "acceptUnknownAccount", instanceId: instance.id },
      );
    }
  } else if (account.id !== before.id && claim.acceptOtherAccount !== true) {
    throw new Conflict(
      "the user signed in with another account than before; claim again with acceptOtherAccount: true if this account is accepted, or let the user sign in again",
      "another_account",
      { field: "acceptOtherAccount", instanceId: instance.id },
    );
  }
  return present({ account, accountBefore: accountBefore(instance, before) });
}

/** Looks the account up once more if it was not noted. */
async function accountOf(
  deps: GrantDeps,
  pending: PendingSignIn,
  configuration: Instance["configuration"],
): Promise<Account | undefined> {
  if (pending.account !== undefined) return pending.account;
  const connector = connectorOf(deps, pending.connector);
  if (connector.account === undefined) return undefined;
  const grant = await openPending(deps.vault, pending);
  return await lookUpAccount(deps, connector, grant, configuration).catch(() => undefined);
}

/** There is no pending item: the sign-in was written before, or it has ended. */
async function written(deps: GrantDeps, claim: Claim): Promise<Instance> {
  const { value: instance } = await deps.instances.get(claim.pending.instanceId);
  if (instance === undefined || instance.deleting === true) throw goneOrOver(instance, claim);
  // A new connection's id was reserved for this sign-in alone, and a refresh does not change the epoch.
  if (claim.isNew || instance.epoch === claim.pending.epoch) return instance;
  throw isOvertaken(instance, claim.pending) ? superseded() : over();
}

async function refuse(deps: GrantDeps, claim: Claim): Promise<never> {
  const { value: instance } = await deps.instances.get(claim.pending.instanceId);
  throw isOvertaken(instance, claim.pending) ? superseded() : goneOrOver(instance, claim);
}

function isOvertaken(instance: Instance | undefined, { epoch }: Pick<PendingKey, "epoch">): boolean {
  return instance !== undefined && instance.deleting !== true && instance.epoch > epoch;
}

function superseded(): Conflict {
  return new Conflict("a later sign-in of this instance was faster", "sign_in_superseded");
}

function goneOrOver(instance: Instance | undefined, { isNew, pending }: Claim): NotFound {
  const isGone = instance === undefined || instance.deleting === true;
  if (isNew || !isGone) return over();
  return new NotFound(`there is no instance ${pending.instanceId}`, "unknown_instance");
}

function over(): NotFound {
  return new NotFound("there is no such connect session, or it has ended", "unknown_session");
}
