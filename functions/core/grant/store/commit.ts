import type { RescueRecord } from "../../instances/rescue-store.ts";
import { present } from "../../present.ts";
import type { GrantDeps } from "../grant-deps.ts";

export type RefreshRecord = Extract<RescueRecord, { kind: "refresh" }>;

/**
 * `written`: it is the stored grant, by this write or an earlier one of the same attempt.
 * `superseded`: a later attempt of the same sign-in won; never revoke anything here.
 * `lost`: the instance is gone, being deleted, or signed in again: the grant is an orphan (see revocation/revoke-orphan.ts).
 */
export type CommitResult = "written" | "superseded" | "lost";

/**
 * COMMIT: puts a refreshed grant in the place of the version that it came from. By the refresher, by a taker that found the
 * record, by the rescue worker: the same function, any number of times.
 * @throws the store does not answer: it may or may not be written
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
