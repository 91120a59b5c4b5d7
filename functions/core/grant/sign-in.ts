import { Conflict, NotFound, Unavailable, VendorError } from "../errors.ts";
import type { Grant, Instance } from "../instances/instance.ts";
import type { TransientStore } from "../transients.ts";
import { lookUpAccount, noteAccount } from "./account.ts";
import { announce } from "./announce.ts";
import { refreshGroup } from "./client-group.ts";
import { connectorOf } from "./commit.ts";
import { consentKey } from "./consent.ts";
import { dueAt } from "./due.ts";
import { type CodeExchange, exchangeCode } from "./exchange-code.ts";
import type { Call, GrantParts } from "./grant-parts.ts";
import { keepGrant, type Try } from "./keep-grant.ts";
import type { InstanceChanges, RescueRecord, Sealer } from "./ports.ts";
import { revokeLoser, revokeLoserOrOwe } from "./revoke-loser.ts";
import { openGrant, sealGrant } from "./sealed-grant.ts";
import { latestNow } from "./timing.ts";

export type SignInRecord = Extract<RescueRecord, { kind: "sign-in" }>;

export interface SignIn extends CodeExchange {
  readonly instanceId: number;
  /** Take the grant of another account than before, too. */
  readonly acceptOtherAccount?: boolean;
  /** Changes of the instance that come with the sign-in. */
  readonly changes?: InstanceChanges;
}

/**
 * SIGN-IN: a user's new consent for an instance that exists. Its id and token stay. No lock, no look into the rescue bucket:
 * whatever an older consent still brings fails on the version.
 * @throws {NotFound} there is no such instance any more
 * @throws {Conflict} `another_account`, or a later sign-in won
 */
export async function signInAgain(
  parts: GrantParts,
  transients: TransientStore,
  request: SignIn,
  call: Call,
): Promise<Instance> {
  const { connector, instanceId } = request;
  const { value: instance, reading } = await parts.instances.get(instanceId);
  if (instance === undefined || instance.deleting === true) throw gone(instanceId);
  const sealer = await parts.vault.prepare(request.organizationId);
  const target = { instanceId, reading, seenEpoch: instance.epoch };
  const won = await exchangeCode(parts, transients, request, target, call);
  const account = await refuseOtherAccount(parts, request, instance, won.grant);
  const at = latestNow(reading, parts.monotonic());
  const { epoch } = won;
  const signIn: Omit<SignInRecord, "grant"> = {
    kind: "sign-in",
    instanceId,
    organizationId: instance.organizationId,
    connector: connector.key,
    epoch,
    at,
    refreshGroup: refreshGroup(connector.key, won.credentials.id),
    changes: { ...request.changes, ...(account === undefined ? {} : { account }) },
  };
  const writing: Writing = { signIn, grant: won.grant, sealer };
  const record = async (): Promise<SignInRecord> => ({
    ...signIn,
    grant: await sealGrant(sealer, instance, `signin-${epoch}`, won.grant),
    ...(writing.replaced === undefined ? {} : { replaced: writing.replaced }),
  });
  let kept: SignInResult | "rescued";
  try {
    kept = await keepGrant(
      parts,
      call,
      instanceId,
      (attempt) => writeSignIn(parts, writing, attempt),
      record,
    );
  } catch (error) {
    parts.outcome({ outcome: "lost", connector: connector.key, instanceId, cause: "forced" });
    throw new Unavailable("the sign-in could not be stored; sign in again", "unavailable", 30, error);
  }
  if (kept === "rescued") return instance;
  if (kept.kind === "lost") {
    await revokeLoserOrOwe(parts, call, instance, won.grant, await record());
    await revokeOvertaken(parts, call, instance, writing, kept.now);
    if (kept.now === undefined || kept.now.deleting === true) throw gone(instanceId);
    throw new Conflict("a later sign-in of this instance was faster", "sign_in_superseded");
  }
  tellSignIn(parts, call, kept.instance, signIn);
  if (account === undefined) {
    call.afterAnswer(noteAccount(parts, connector, kept.instance, won.grant.accessToken, at));
  }
  await revokeReplaced(parts, call, instance, won.grant, kept.replaced, at);
  return kept.instance;
}

/** A sign-in on its way into the table. */
export interface Writing {
  readonly signIn: Omit<SignInRecord, "grant">;
  readonly grant: Grant;
  readonly sealer: Sealer;
  /** What a write, whose answer may be lost, would have replaced. */
  replaced?: SignInRecord["replaced"];
}

export type SignInResult =
  | {
      readonly kind: "written";
      readonly instance: Instance;
      /** The grant whose place it took. Absent: an earlier process's write, which saw to it. */
      readonly replaced?: NonNullable<SignInRecord["replaced"]>;
    }
  /** `now`: the item as it stands, being deleted or of a later sign-in; absent: gone. */
  | { readonly kind: "lost"; readonly now: Instance | undefined };

/**
 * Step 2, by the one who signs in or by the rescue worker, any number of times. Reads first: the new grant is sealed for the
 * version that it will get, and the grant that it replaces must be known.
 * @throws the store does not answer: perhaps written, perhaps not
 */
export async function writeSignIn(
  parts: GrantParts,
  writing: Writing,
  attempt: Readonly<Try> = { over: false },
): Promise<SignInResult> {
  const { instanceId, epoch, at } = writing.signIn;
  for (;;) {
    const { value: instance } = await parts.instances.get(instanceId);
    if (instance === undefined || instance.deleting === true || instance.epoch > epoch) {
      return { kind: "lost", now: instance };
    }
    if (instance.epoch === epoch) {
      const { replaced } = writing;
      return { kind: "written", instance, ...(replaced === undefined ? {} : { replaced }) };
    }
    const { fence, version } = instance;
    const connector = connectorOf(parts, instance.connector);
    const { changes, refreshGroup: group = instance.refreshGroup } = writing.signIn;
    // Where the account was not looked up it is not known to be the one from before: whoever notes it, says so here, too.
    const consent = consentKey(connector, group, changes?.account);
    const hangsOn = { refreshGroup: group, ...(consent === undefined ? {} : { consentKey: consent }) };
    const due = dueAt(parts, connector, writing.grant, { createdAt: instance.createdAt, lastUsedAt: at }, at);
    const grant = await sealGrant(writing.sealer, instance, fence + 1, writing.grant);
    // A record without `replaced` may lie in the bucket by now: a write that nobody hears of would leave the old grant alive.
    if (attempt.over) throw new Error("too late to begin the write");
    const replaced = { version, grant: instance.grant };
    writing.replaced = replaced;
    const written = await parts.instances.signIn(
      instanceId,
      { fence, version },
      {
        epoch,
        grant,
        at,
        ...(due === undefined ? {} : { dueAt: due }),
        ...hangsOn,
        ...(changes === undefined ? {} : { changes }),
      },
    );
    if (!written) continue;
    const { until, deadVersion, lastError, attempts, retryAt, dueAt: _, dueSince, ...rest } = instance;
    return {
      kind: "written",
      instance: {
        ...rest,
        ...changes,
        ...hangsOn,
        grant,
        epoch,
        version: fence + 1,
        fence: fence + 1,
        updatedAt: at,
        ...(due === undefined ? {} : { dueAt: due }),
      },
      replaced,
    };
  }
}

/** Told by whoever finds it written, the rescue worker too: the epoch names it. */
export function tellSignIn(
  parts: Pick<GrantParts, "announce">,
  call: Pick<Call, "afterAnswer">,
  instance: Instance,
  { epoch, at }: Pick<SignInRecord, "epoch" | "at">,
): void {
  announce(parts, call, instance, { name: "instance.reauthenticated", at, of: epoch });
}

/**
 * Step 3: the grant that was replaced ends, unless the vendor gave the same refresh token again.
 * @param at when it was replaced: from then on its revocation is tried for 7 days, however old it is
 */
export async function revokeReplaced(
  parts: GrantParts,
  call: Pick<Call, "remainingMs">,
  owner: Pick<Instance, "id" | "organizationId" | "connector">,
  grant: Grant,
  replaced: SignInRecord["replaced"],
  at: number,
): Promise<void> {
  if (replaced === undefined) return;
  if (connectorOf(parts, owner.connector).oauth2.revocation?.ends !== "token") return;
  let old: Grant;
  try {
    old = await openGrant(parts.vault, owner, replaced.version, replaced.grant);
  } catch {
    return;
  }
  if (isSameGrant(old, grant)) return;
  await revokeLoserOrOwe(parts, call, owner, old, {
    kind: "refresh",
    instanceId: owner.id,
    organizationId: owner.organizationId,
    connector: owner.connector,
    // Before every sign-in, and this version is never the stored one again: such a record can only end in a revocation.
    epoch: "",
    baseVersion: replaced.version,
    fence: replaced.version,
    grant: replaced.grant,
    refreshedAt: at,
  });
}

/**
 * A sign-in that lost may have been written before, its answer lost, and then a delete or a later sign-in came: the grant that
 * it replaced then is nobody's to end but ours. Its sign-in is history either way.
 */
export async function revokeOvertaken(
  parts: GrantParts,
  call: Pick<Call, "remainingMs">,
  owner: Pick<Instance, "id" | "organizationId" | "connector">,
  writing: Pick<Writing, "replaced" | "grant" | "signIn">,
  now: Instance | undefined,
): Promise<void> {
  if (writing.replaced === undefined) return;
  const living =
    now === undefined || now.deleting === true
      ? writing.grant
      : await openGrant(parts.vault, now, now.version, now.grant);
  await revokeReplaced(parts, call, owner, living, writing.replaced, writing.signIn.at);
}

/** Revoking one would end the other. */
function isSameGrant(one: Grant, other: Grant): boolean {
  return one.refreshToken === undefined
    ? one.accessToken === other.accessToken
    : one.refreshToken === other.refreshToken;
}

/**
 * An instance must not silently become a window on another account. What was just granted for it ends.
 * @returns the account behind the new grant, where it was looked up
 */
async function refuseOtherAccount(
  parts: GrantParts,
  request: SignIn,
  instance: Instance,
  grant: Grant,
): Promise<Instance["account"]> {
  const { connector } = request;
  if (request.acceptOtherAccount === true || instance.account === undefined) return undefined;
  if (connector.account === undefined) return undefined;
  let account: Instance["account"];
  try {
    account = await lookUpAccount(parts, connector, grant.accessToken);
  } catch (cause) {
    await revokeLoser(parts, instance, grant);
    throw new VendorError(
      502,
      "account_unknown",
      `${connector.name} did not tell whose account this is, so it cannot be known whether it is the one from before; sign in again`,
      { cause },
    );
  }
  if (account === undefined || account.id === instance.account.id) return account;
  await revokeLoser(parts, instance, grant);
  throw new Conflict(
    "the user signed in with another account than before; ask for the first one, or say that another one is welcome",
    "another_account",
  );
}

function gone(instanceId: number): NotFound {
  return new NotFound(`there is no instance ${instanceId}`);
}
