import type { Grant, Sealed } from "../../instances/instance.ts";
import { present } from "../../present.ts";
import { StoreRefused } from "../../store-refused.ts";
import { announce } from "../announce.ts";
import { noteProof } from "../consent/account.ts";
import { revokeOrphanOrDefer } from "../revocation/revoke-orphan.ts";
import { commit, type RefreshRecord } from "../store/commit.ts";
import { dueTimeOf, dueWithCleanup } from "../store/due.ts";
import { releaseLease } from "../store/lease.ts";
import { sealGrant } from "../store/sealed-grant.ts";
import { storeOrRescue, storeWhatItCan } from "../store/store-or-rescue.ts";
import { withNewGrant } from "../store/with-new-grant.ts";
import type { AfterFailure } from "./after-failure.ts";
import type { LeasedAttempt, RefreshResult } from "./attempt.ts";
import type { Exchanged } from "./exchange.ts";
import { tellFailure, tellRecovery } from "./failure-series.ts";
import { giveUpRefused } from "./give-up-refused.ts";

/** A grant that a refresh brought. */
interface Won extends Pick<Exchanged, "sentAt" | "sealer"> {
  readonly grant: Grant;
  /**
   * Set if the vendor sent a new refresh token but no usable access token: the old grant gets the new refresh token, and the
   * refresh is retried as after a failure.
   */
  readonly failure?: AfterFailure;
}

type MakeRecord = () => Promise<RefreshRecord>;

/** Step 5, with a grant: seals it with version f; COMMIT, or else the rescue bucket. */
export async function storeRefreshed(attempt: LeasedAttempt, won: Won): Promise<RefreshResult> {
  const { deps, read, request, call, lease, connector, old, count } = attempt;
  const { instance } = lease;
  const due = nextDue(attempt, won);
  let record = recordOf(attempt, won, won.grant, due);
  let kept: Awaited<ReturnType<typeof commit>> | "rescued";
  let grant: Grant;
  try {
    ({ kept, grant } = await storeWhatItCan(connector, won.grant, async (each) => {
      record = recordOf(attempt, won, each, due);
      return await storeOrRescue(
        deps,
        call,
        instance.id,
        async () => await commit(deps, await record()),
        record,
      );
    }));
  } catch (error) {
    if (error instanceof StoreRefused) {
      const refused = { ...won, old };
      const retryAfterMs = await giveUpRefused(deps, read, lease, refused, request.cause, call);
      return { kind: "failed", outcome: "lost", retryAfterMs };
    }
    count("lost");
    return { kind: "failed", outcome: "lost", retryAfterMs: deps.timing.retryMs };
  }
  if (kept === "superseded") {
    count("reused");
    return { kind: "moved" };
  }
  if (kept === "lost") {
    const ended = await revokeOrphanOrDefer(deps, call, instance, won.grant, record);
    // `lost` is counted in the call above; an owed revocation is counted when it is done.
    if (ended !== "lost") count(ended === "revoked" ? "revoked" : "reused");
    return { kind: "moved" };
  }
  if (won.failure !== undefined) return await afterRotation(attempt, won.failure, kept);
  tellSuccess(attempt);
  const sealed = (await record()).grant;
  const renewed = withNewGrant(instance, {
    grant: sealed,
    version: lease.fence,
    fence: lease.fence,
    dueAt: due,
  });
  const refreshed = { ...renewed, lastRefreshedAt: won.sentAt };
  // A rescued grant is not in the table yet, so its client is noted as proven at the next refresh.
  const instanceNow = kept === "written" ? await noteProof(deps, refreshed) : refreshed;
  return { kind: "refreshed", grant, instance: instanceNow };
}

/** When the new grant is due: by its own lifetime, or as after a failure. */
function nextDue(
  { deps, request, lease: { instance }, connector }: LeasedAttempt,
  { grant, sentAt, failure }: Won,
): number | undefined {
  const used = request.cause === "just_in_time" || request.cause === "unauthorized";
  const use = used ? { createdAt: instance.createdAt, lastUsedAt: sentAt } : instance;
  const regular = dueTimeOf(deps, connector, grant, use, sentAt);
  return dueWithCleanup(instance, failure?.dueAt ?? regular, sentAt, deps.timing);
}

/** Makes the record of a grant. The grant is sealed only once. */
function recordOf(
  { lease: { instance, fence } }: LeasedAttempt,
  { sealer, sentAt }: Won,
  grant: Grant,
  due: number | undefined,
): MakeRecord {
  let sealed: Sealed | undefined;
  return async () => {
    sealed ??= await sealGrant(sealer, instance, fence, grant);
    return {
      kind: "refresh",
      instanceId: instance.id,
      organizationId: instance.organizationId,
      connector: instance.connector,
      epoch: instance.epoch,
      baseVersion: instance.version,
      fence,
      grant: sealed,
      refreshedAt: sentAt,
      ...present({ dueAt: due }),
    };
  };
}

/** The rotated refresh token is safe, but there is no usable access token. */
async function afterRotation(
  { deps, read, call, lease, count }: LeasedAttempt,
  { retryInMs, ...change }: AfterFailure,
  kept: "written" | "rescued",
): Promise<RefreshResult> {
  // Do not release the lease after a rescue put: the next refresh reads the bucket only if the lease has
  // expired.
  const isTold = kept === "written" && (await releaseLease(deps, lease, change));
  if (isTold) tellFailure(deps, call, read, "attempts", change.lastError);
  count("refused");
  return { kind: "failed", outcome: "refused", retryAfterMs: retryInMs };
}

function tellSuccess({
  deps,
  read,
  request,
  call,
  lease: { instance },
  old,
  count,
  now,
}: LeasedAttempt): void {
  const at = now();
  if (request.cause === "revive") {
    announce(deps, call, instance, { name: "instance.revived", at, of: instance.version });
    count("revived");
    return;
  }
  tellRecovery(deps, call, read);
  count("refreshed", { timeLeftMs: old.expiresAt === undefined ? undefined : old.expiresAt - at });
}
