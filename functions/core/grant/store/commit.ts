import type { RescueRecord } from "../../instances/rescue-store.ts";
import { present } from "../../present.ts";
import type { GrantDeps } from "../grant-deps.ts";

export type RefreshRecord = Extract<RescueRecord, { kind: "refresh" }>;

/**
 * - `written`: this is the stored grant, written now or by an earlier write of the same attempt.
 * - `superseded`: a later attempt of the same sign-in won; never revoke anything here.
 * - `lost`: the instance is deleted, being deleted, or signed in again: the grant is an orphan (see
 *   revocation/revoke-orphan.ts).
 */
export type CommitResult = "written" | "superseded" | "lost";

/**
 * COMMIT: stores the new grant in place of the version that was refreshed. The refresher, another process that
 * found the rescue record, and the rescue worker all call this function; it may be repeated.
 * @throws the store does not answer: the write may or may not have happened
 */
export async function commit(deps: Pick<GrantDeps, "instances">, won: RefreshRecord): Promise<CommitResult> {
  const written = await deps.instances.commit(
    won.instanceId,
    { version: won.baseVersion },
    {
      fence: won.fence,
      grant: won.grant,
      refreshedAt: won.refreshedAt,
      ...present({ dueAt: won.dueAt }),
    },
  );
  if (written) return "written";
  const { value: instance } = await deps.instances.get(won.instanceId);
  if (instance === undefined || instance.deleting === true || instance.epoch !== won.epoch) return "lost";
  return instance.version === won.fence ? "written" : "superseded";
}
