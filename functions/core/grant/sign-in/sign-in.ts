import { Conflict, NotFound, Unavailable, VendorError } from "../../errors.ts";
import type { Grant, Instance } from "../../instances/instance.ts";
import type { InstanceChanges } from "../../instances/instance-store.ts";
import { present } from "../../present.ts";
import { StoreRefused } from "../../store-refused.ts";
import type { TransientStore } from "../../transients.ts";
import { accountBefore, knownAccount, lookUpAccount } from "../consent/account.ts";
import type { Call, GrantDeps, SignInDeps } from "../grant-deps.ts";
import { endRefused, notStorable } from "../revocation/end-refused.ts";
import { revokeOrphanOrDefer } from "../revocation/revoke-orphan.ts";
import { revocationOnlyRecord } from "../revocation/unwelcome.ts";
import { refreshGroup } from "../store/refresh-group.ts";
import { sealGrant } from "../store/sealed-grant.ts";
import { storeOrRescue, storeWhatItCan } from "../store/store-or-rescue.ts";
import { latestNow } from "../timing.ts";
import { afterSignIn } from "./after-sign-in.ts";
import { lacksRefreshToken } from "./carry-over.ts";
import { type CodeExchange, exchangeCode } from "./exchange-code.ts";
import { type SignInRecord, type SignInResult, type Writing, writeSignIn } from "./write-sign-in.ts";

export interface SignIn extends CodeExchange {
  readonly instanceId: number;
  /** Accept also the grant of another account than before. */
  readonly acceptOtherAccount?: boolean;
  /** Changes of the instance that come with the sign-in. */
  readonly changes?: InstanceChanges;
}

/**
 * SIGN-IN: stores a user's new consent in an existing instance. Its id and token stay. Needs no lock and does
 * not read the rescue bucket, because a late write of an older grant fails when the version has changed.
 * Exception: a sign-in without refresh token takes the lease (carry-over.ts).
 * @throws {NotFound} the instance does not exist any more
 * @throws {Conflict} `another_account`, or a later sign-in won
 * @throws {VendorError} `grant_not_storable`: the vendor gave more than the item can hold
 */
export async function signInAgain(
  deps: SignInDeps,
  transients: TransientStore,
  request: SignIn,
  call: Call,
): Promise<Instance> {
  const { connector, instanceId } = request;
  const { value: instance, reading } = await deps.instances.get(instanceId);
  if (instance === undefined || instance.deleting === true) throw gone(instanceId);
  const sealer = await deps.vault.prepare(request.organizationId);
  const target = { instanceId, reading, seenEpoch: instance.epoch };
  const won = await exchangeCode(deps, transients, request, target, call);
  const at = latestNow(reading, deps.monotonic());
  const { epoch } = won;
  const unwelcome = { grant: won.grant, sealer, epoch, at };
  const accounts = await refuseOtherAccount(deps, request, instance, unwelcome, call);
  const signIn: Omit<SignInRecord, "grant"> = {
    kind: "sign-in",
    instanceId,
    organizationId: instance.organizationId,
    connector: connector.key,
    epoch,
    at,
    refreshGroup: refreshGroup(connector.key, won.credentials.id),
    ...(lacksRefreshToken(connector, won.grant) && accounts.account !== undefined ? { carries: true } : {}),
    changes: { ...request.changes, ...present({ account: accounts.account }) },
    ...present({ accountBefore: accounts.accountBefore }),
  };
  const recordOf = (grant: Grant) => async (): Promise<SignInRecord> => ({
    ...signIn,
    grant: await sealGrant(sealer, instance, `signin-${epoch}`, grant),
  });
  let kept: SignInResult | "rescued";
  try {
    ({ kept } = await storeWhatItCan(connector, won.grant, (grant) =>
      storeOrRescue(
        deps,
        call,
        instanceId,
        () => writeSignIn(deps, { signIn, grant, sealer }),
        recordOf(grant),
      ),
    ));
  } catch (error) {
    if (error instanceof StoreRefused) {
      await endRefused(deps, call, instance, { grant: won.grant, sealer, of: epoch, at, cause: "forced" });
      throw notStorable(connector, error);
    }
    deps.outcome({ outcome: "lost", connector: connector.key, instanceId, cause: "forced" });
    throw new Unavailable("the sign-in could not be stored; sign in again", "unavailable", 30, error);
  }
  if (kept === "rescued") return instance;
  if (kept.kind === "lost") {
    await revokeOrphanOrDefer(deps, call, instance, won.grant, recordOf(won.grant));
    if (kept.now === undefined || kept.now.deleting === true) throw gone(instanceId);
    throw new Conflict("a later sign-in of this instance was faster", "sign_in_superseded");
  }
  return await afterSignIn(deps, kept, signIn, won.grant, call);
}

/**
 * Refuses a sign-in to another account and ends its grant, so that no instance changes its account unnoticed.
 * @returns the accounts of the new grant and of the one before, if they were looked up
 */
async function refuseOtherAccount(
  deps: GrantDeps,
  request: SignIn,
  instance: Instance,
  won: Pick<Writing, "grant" | "sealer"> & Pick<SignInRecord, "epoch" | "at">,
  call: Call,
): Promise<Pick<SignInRecord, "accountBefore"> & Pick<Instance, "account">> {
  const { connector } = request;
  // Another account is accepted: look accounts up only if they decide whether the refresh token may be kept.
  if (request.acceptOtherAccount === true && !lacksRefreshToken(connector, won.grant)) return {};
  const before = await knownAccount(deps, instance);
  if (before === undefined) return {};
  const told = (account: Instance["account"]) =>
    present({ account, accountBefore: accountBefore(instance, before) });
  if (request.acceptOtherAccount === true) {
    return told(
      await lookUpAccount(deps, connector, won.grant, instance.configuration).catch(() => undefined),
    );
  }
  let account: Instance["account"];
  try {
    account = await lookUpAccount(deps, connector, won.grant, instance.configuration);
  } catch (cause) {
    await endUnwelcome(deps, instance, won, call);
    throw new VendorError(
      502,
      "account_unknown",
      `${connector.name} did not report the account of this sign-in, so it is unknown whether it is the same as before; sign in again`,
      { cause },
    );
  }
  if (account === undefined || account.id === before.id) return told(account);
  await endUnwelcome(deps, instance, won, call);
  throw new Conflict(
    "the user signed in with another account than before; let the user sign in with the first account, or accept the other one",
    "another_account",
  );
}

async function endUnwelcome(
  deps: GrantDeps,
  instance: Instance,
  won: Pick<Writing, "grant" | "sealer"> & Pick<SignInRecord, "epoch" | "at">,
  call: Call,
): Promise<void> {
  await revokeOrphanOrDefer(deps, call, instance, won.grant, revocationOnlyRecord(instance, won));
}

function gone(instanceId: number): NotFound {
  return new NotFound(`there is no instance ${instanceId}`);
}
