import type { Instance, Sealed } from "./instance.ts";
import type { InstanceChanges } from "./instance-store.ts";
import type { AccountBefore, PendingSignIn } from "./pending-sign-in.ts";

/** A rescue record: a write that DynamoDB could not take, kept in S3 meanwhile. */
export type RescueRecord =
  | {
      readonly kind: "refresh";
      readonly instanceId: number;
      readonly organizationId: string;
      readonly connector: string;
      readonly epoch: string;
      readonly baseVersion: number;
      readonly fence: number;
      readonly grant: Sealed;
      readonly refreshedAt: number;
      readonly dueAt?: number;
    }
  | {
      readonly kind: "sign-in";
      readonly instanceId: number;
      readonly organizationId: string;
      readonly connector: string;
      readonly epoch: string;
      /** Sealed for version `signin-<epoch>`, because the next version is known only when the sign-in is written. */
      readonly grant: Sealed;
      readonly at: number;
      readonly refreshGroup?: string;
      readonly changes?: InstanceChanges;
      readonly accountBefore?: AccountBefore;
      /**
       * Set if the sign-in may carry a refresh token over. Older versions of Linkspan would revoke that token,
       * so they must not read this record.
       */
      readonly carries?: true;
    }
  | { readonly kind: "new"; readonly instance: Instance }
  | { readonly kind: "pending"; readonly pending: PendingSignIn };

/** `rescue/<instance>/<fence | signin-<epoch> | new | pending-<epoch>>` in the bucket. */
export interface RescueRecords {
  /**
   * @throws {StoreRefused} the bucket will never take it
   * @throws the store does not answer within its timeout
   */
  put(record: RescueRecord): Promise<void>;
  /** The refresh record of this attempt. `undefined` only on a real 404; throws on any other error. */
  get(instanceId: number, fence: number): Promise<RescueRecord | undefined>;
  read(key: string): Promise<RescueRecord | undefined>;
}

export interface RescueRemoval {
  remove(key: string): Promise<void>;
}

export interface RescueList {
  /**
   * Keys in order. `writtenAt`: when each record was written to the bucket, epoch milliseconds; if a key is
   * missing there, its age is unknown.
   */
  list(options?: { limit?: number; after?: string }): Promise<{
    keys: readonly string[];
    writtenAt?: ReadonlyMap<string, number>;
    next?: string;
  }>;
}

export type RescueStore = RescueRecords & RescueRemoval & RescueList;
