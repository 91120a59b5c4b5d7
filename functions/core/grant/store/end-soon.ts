import type { Instance } from "../../instances/instance.ts";
import type { PendingSignIn } from "../../instances/pending-sign-in.ts";
import type { SignInDeps } from "../grant-deps.ts";

/**
 * Marks a pending sign-in as ending: it cannot be claimed any more. A worker revokes its grant, now or when the
 * sweep finds it.
 * @param now store time
 * @returns false: it was claimed before, or does not exist any more
 */
export async function endSoon(
  deps: Pick<SignInDeps, "pendings" | "enqueuePending">,
  pending: PendingSignIn,
  now: number,
  claimedToo = false,
): Promise<boolean> {
  const marked = await deps.pendings.markEnding(pending, now, claimedToo);
  // If the message is lost, the sweep finds the item on the due index.
  if (marked) await deps.enqueuePending(pending).catch(() => {});
  return marked;
}

/**
 * Ends the older pending sign-ins of an instance after a sign-in, because their claims could only fail. Never
 * throws.
 */
export async function endOvertaken(
  deps: Pick<SignInDeps, "pendings" | "enqueuePending">,
  { id, epoch }: Pick<Instance, "id" | "epoch">,
  now: number,
): Promise<void> {
  try {
    const pendings = await deps.pendings.ofInstance(id);
    const older = pendings.filter((each) => each.epoch < epoch && each.endingSince === undefined);
    // A claimed sign-in that is not written yet is left: its write fails.
    await Promise.all(older.map((each) => endSoon(deps, each, now)));
  } catch {
    // If this fails, they expire at `endsAt`.
  }
}
