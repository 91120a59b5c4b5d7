import type { Connector } from "../../../connectors/define-connector.ts";
import { isSameEndpoint } from "../../endpoint/endpoint.ts";
import { Unavailable } from "../../errors.ts";
import { type Grant, type Instance, needsReauthentication } from "../../instances/instance.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import { present } from "../../present.ts";
import { StoreRefused } from "../../store-refused.ts";
import { knownAccount } from "../consent/account.ts";
import type { GrantDeps, InstanceRead } from "../grant-deps.ts";
import { openUnlessBroken } from "../revocation/revoke-orphan.ts";
import { commit } from "../store/commit.ts";
import { type Lease, lookForRescue, takeLease } from "../store/lease.ts";
import { leaseIsHeld } from "../timing.ts";

/** Another process holds the lease of a refresh token that must be carried over: try again in a moment. */
class RefreshUnderWay extends Unavailable {
  constructor() {
    super("the connection is being renewed just now; send the same request again");
  }
}

type SignIn = Omit<Extract<RescueRecord, { kind: "sign-in" }>, "grant">;

/** Whether a sign-in brought no refresh token although the vendor issues them. */
export function lacksRefreshToken(connector: Connector, grant: Grant): boolean {
  return (
    connector.oauth2.refreshToken !== undefined &&
    grant.refreshToken === undefined &&
    grant.shortLived === undefined
  );
}

/**
 * Whether the stored refresh token may be kept beside the new access token. Some vendors give a refresh token
 * only with the first consent, or on request. The sign-in must be of the same account and the same client. The
 * accounts were compared before; if another sign-in came in between, the account is looked up here again.
 */
async function mayCarry(
  deps: GrantDeps,
  connector: Connector,
  instance: Instance,
  { refreshGroup, changes, accountBefore }: SignIn,
  grant: Grant,
): Promise<boolean> {
  const account = changes?.account;
  if (account === undefined || !lacksRefreshToken(connector, grant)) return false;
  if (needsReauthentication(instance) || instance.refreshGroup !== refreshGroup) return false;
  if (instance.account === undefined && accountBefore?.epoch === instance.epoch) {
    return accountBefore.accountId === account.id;
  }
  return (await knownAccount(deps, instance))?.id === account.id;
}

/** The grant that the write of a sign-in stores, and the fence of its condition. */
export interface Carried {
  readonly grant: Grant;
  readonly fence: number;
  /** Set if the stored refresh token is kept: the lease that protects it. The stored grant must not be revoked then. */
  readonly lease?: Lease;
}

/**
 * CARRY OVER, before the write of a sign-in. Starts like a refresh, so that no other refresh and no rescue
 * record holds a newer token than the one that is carried over: first looks into the rescue bucket, then takes
 * the lease on the version that was read. The write ends the lease.
 * @returns `again`: something changed; read again
 * @throws {Unavailable} the lease is held for longer than a caller waits
 * @throws a store or KMS does not answer
 */
export async function carryOver(
  deps: GrantDeps,
  connector: Connector,
  read: InstanceRead,
  signIn: SignIn,
  grant: Grant,
  waitUntil: number,
): Promise<Carried | "again"> {
  const { instance, reading } = read;
  const asItIs: Carried = { grant, fence: instance.fence };
  if (!(await mayCarry(deps, connector, instance, signIn, grant))) return asItIs;
  if (leaseIsHeld(instance, reading)) return await waitForLease(deps, waitUntil);
  const record = await lookForRescue(deps, read);
  if (record?.kind === "refresh") {
    try {
      await commit(deps, record);
      return "again";
    } catch (error) {
      // The record's grant cannot be stored, and the stored refresh token was used up for it.
      if (error instanceof StoreRefused) return asItIs;
      throw error;
    }
  }
  const old = await openUnlessBroken(deps, instance, instance.version, instance.grant);
  if (old?.refreshToken === undefined) return asItIs;
  // Another server can name any account as the user's. It must not get this server's token.
  if (!isSameEndpoint(connector, old, grant)) return asItIs;
  const lease = await takeLease(deps, read);
  if (lease === undefined) return "again";
  return { grant: withTokenOf(old, grant), fence: lease.fence, lease };
}

/**
 * The new access token with the old refresh token. Each keeps its own scope, because the old scope may differ
 * from the new one.
 */
function withTokenOf(old: Grant, grant: Grant): Grant {
  const { refreshToken = "", accessToken, scope, askedScopes } = old;
  const own = {
    accessToken,
    ...present({ scope, askedScopes }),
  };
  return { ...grant, refreshToken, carried: old.carried ?? own };
}

/** @throws {Unavailable} the lease is held too long */
async function waitForLease(deps: GrantDeps, waitUntil: number): Promise<"again"> {
  const pauseMs = deps.timing.pollMs + deps.random() * deps.timing.pollMaxMs;
  if (deps.monotonic() + pauseMs > waitUntil) throw new RefreshUnderWay();
  await deps.sleep(pauseMs);
  return "again";
}
