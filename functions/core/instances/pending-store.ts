import type { Read } from "../store-clock.ts";
import type { AccountBefore, PendingKey, PendingSignIn } from "./pending-sign-in.ts";

/**
 * Pending sign-ins (core/instances/pending-sign-in.ts), separate items in the instances table. Every write has
 * a condition; `false` means that it was refused and nothing was written.
 */
export interface PendingSignIns {
  /** Strongly consistent. */
  get(key: PendingKey): Promise<Read<PendingSignIn | undefined>>;
  /** All pending sign-ins of one instance; strongly consistent. */
  ofInstance(instanceId: number): Promise<readonly PendingSignIn[]>;
  /** Puts a new item, due at its end; refused if it exists. */
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
   * SET endingSince (the first time), dueAt = now; hides it from its siblings. IF it exists AND is not claimed.
   * With `claimedToo`, even if it is claimed: only if its write has failed for good.
   */
  markEnding(key: PendingKey, now: number, claimedToo?: boolean): Promise<boolean>;
  /** SET dueAt = to REMOVE dueSince IF it exists. */
  setDueAt(key: PendingKey, to: number): Promise<boolean>;
}

/** Only for the worker. */
export interface PendingRemoval {
  /** DeleteItem: its grant is used by its instance, or has ended. */
  remove(key: PendingKey): Promise<void>;
}

/** For the operator, because no list of instances shows pending sign-ins. */
export interface PendingLists {
  listPendings(
    organizationId: string,
    options?: { after?: string; limit?: number },
  ): Promise<{ readonly items: readonly PendingKey[]; readonly next?: string }>;
}
