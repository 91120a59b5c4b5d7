import type { PendingKey, PendingSignIn } from "../../instances/pending-sign-in.ts";
import type { Read } from "../../store-clock.ts";
import type { SignInDeps } from "../grant-deps.ts";

/**
 * A pending sign-in, from the table, or from the rescue bucket if the table did not answer when it was stored.
 * A worker moves it into the table; if it is needed earlier, this function moves it.
 * @throws a store does not answer
 */
export async function findPending(
  deps: Pick<SignInDeps, "pendings" | "rescue">,
  key: PendingKey,
): Promise<Read<PendingSignIn | undefined>> {
  const found = await deps.pendings.get(key);
  if (found.value !== undefined) return found;
  const record = await deps.rescue.read(`rescue/${key.instanceId}/pending-${key.epoch}`);
  if (record?.kind === "pending") await deps.pendings.put(record.pending);
  // If the bucket has no record, a worker may have moved it into the table since the first look.
  return await deps.pendings.get(key);
}
