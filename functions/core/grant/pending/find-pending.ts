import type { PendingKey, PendingSignIn } from "../../instances/pending-sign-in.ts";
import type { Read } from "../../store-clock.ts";
import type { SignInParts } from "../grant-deps.ts";

/**
 * A pending sign-in, wherever it lies: what came while the table was down is in the rescue bucket until a worker brings it home,
 * and whoever needs it before does.
 * @throws a store does not answer
 */
export async function findPending(
  parts: Pick<SignInParts, "pendings" | "rescue">,
  key: PendingKey,
): Promise<Read<PendingSignIn | undefined>> {
  const found = await parts.pendings.get(key);
  if (found.value !== undefined) return found;
  const record = await parts.rescue.read(`rescue/${key.instanceId}/pending-${key.epoch}`);
  if (record?.kind === "pending") await parts.pendings.put(record.pending);
  // Not there: a worker may have brought it home since the first look.
  return await parts.pendings.get(key);
}
