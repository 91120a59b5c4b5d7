import type { Instance } from "../../instances/instance.ts";
import type { PendingSignIn } from "../../instances/pending-sign-in.ts";
import type { SignInDeps } from "../grant-deps.ts";

/**
 * From here on it cannot be claimed; a worker revokes its grant, now or when the sweep finds it.
 * @param now store time
 * @returns false: it was claimed before, or is gone
 */
export async function endSoon(
  deps: Pick<SignInDeps, "pendings" | "enqueuePending">,
  pending: PendingSignIn,
  now: number,
  claimedToo = false,
): Promise<boolean> {
  const marked = await deps.pendings.markEnding(pending, now, claimedToo);
  // Lost: it lies on the due index.
  if (marked) await deps.enqueuePending(pending).catch(() => {});
  return marked;
}

/** A sign-in ends the pending ones of its instance that are older: their claims could only lose. Never throws. */
export async function endOvertaken(
  deps: Pick<SignInDeps, "pendings" | "enqueuePending">,
  { id, epoch }: Pick<Instance, "id" | "epoch">,
  now: number,
): Promise<void> {
  try {
    const pendings = await deps.pendings.ofInstance(id);
    const older = pendings.filter((each) => each.epoch < epoch && each.endingSince === undefined);
    // A claimed sign-in that is not written yet fails when it is written.
    await Promise.all(older.map((each) => endSoon(deps, each, now)));
  } catch {
    // If this fails, they expire at `endsAt`.
  }
}
