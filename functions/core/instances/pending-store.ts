import type { Read } from "../store-clock.ts";
import type { AccountBefore, PendingKey, PendingSignIn } from "./pending-sign-in.ts";

/**
 * Pending sign-ins (core/instances/pending-sign-in.ts), items of their own in the instances table. Every write has a condition;
 * `false` means that it was refused and nothing was written.
 */
export interface PendingSignIns {
  /** Strongly consistent. */
  get(key: PendingKey): Promise<Read<PendingSignIn | undefined>>;
  /** All of one instance; strongly consistent. */
  ofInstance(instanceId: number): Promise<readonly PendingSignIn[]>;
  /** Put of a new item, due at its end; refused when it is there. */
  put(pending: PendingSignIn): Promise<boolean>;
  /** SET account, consentKey IF it exists AND is not ending. */
  noteAccount(
    key: PendingKey,
    noted: { account: NonNullable<PendingSignIn["account"]>; consentKey?: string },
  ): Promise<boolean>;
  /** SET claimedAt (the first time), account, accountBefore, consentKey, dueAt IF it exists AND is not ending. */
  markClaimed(
    key: PendingKey,
    claim: {
      at: number;
      dueAt: number;
      account?: NonNullable<PendingSignIn["account"]>;
      accountBefore?: AccountBefore;
      consentKey?: string;
    },
  ): Promise<boolean>;
  /**
   * SET endingSince (the first time), dueAt = now; hides it from its siblings. IF it exists AND is not claimed; or, where
   * `claimedToo`, whether claimed or not: only for one whose write is lost for good.
   */
  markEnding(key: PendingKey, now: number, claimedToo?: boolean): Promise<boolean>;
  /** SET dueAt = to REMOVE dueSince IF it exists. */
  setDueAt(key: PendingKey, to: number): Promise<boolean>;
}

/** For the worker alone. */
export interface PendingRemoval {
  /** DeleteItem: its grant is live in its instance, or has ended. */
  remove(key: PendingKey): Promise<void>;
}

/** For the operator: no list of instances shows pending sign-ins. */
export interface PendingLists {
  listPendings(
    organizationId: string,
    options?: { after?: string; limit?: number },
  ): Promise<{ readonly items: readonly PendingKey[]; readonly next?: string }>;
}
