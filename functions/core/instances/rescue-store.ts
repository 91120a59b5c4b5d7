import type { Instance, Sealed } from "./instance.ts";
import type { InstanceChanges } from "./instance-store.ts";
import type { AccountBefore, PendingSignIn } from "./pending-sign-in.ts";

/** What a rescue record holds; lies in S3 while DynamoDB cannot take the write. */
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
      /** Sealed for version `signin-<epoch>`: which version it will get is known only when it is written. */
      readonly grant: Sealed;
      readonly at: number;
      readonly refreshGroup?: string;
      readonly changes?: InstanceChanges;
      readonly accountBefore?: AccountBefore;
      /**
       * The sign-in may carry a refresh token over. Older versions of Linkspan would revoke that token, so they must not read
       * this record.
       */
      readonly carries?: true;
    }
  | { readonly kind: "new"; readonly instance: Instance }
  | { readonly kind: "pending"; readonly pending: PendingSignIn };

/** `rescue/<instance>/<fence | signin-<epoch> | new | pending-<epoch>>` in the bucket. */
export interface RescueRecords {
  /** @throws {StoreRefused} the bucket will never take it @throws when the store does not answer within its timeout */
  put(record: RescueRecord): Promise<void>;
  /** The refresh record of this attempt. `undefined` only on a true 404; anything else throws: "cannot look". */
  get(instanceId: number, fence: number): Promise<RescueRecord | undefined>;
  read(key: string): Promise<RescueRecord | undefined>;
}

export interface RescueRemoval {
  remove(key: string): Promise<void>;
}

export interface RescueList {
  /** Keys in order. `writtenAt`: when the bucket took each, epoch milliseconds; one that is missing there is of unknown age. */
  list(options?: { limit?: number; after?: string }): Promise<{
    keys: readonly string[];
    writtenAt?: ReadonlyMap<string, number>;
    next?: string;
  }>;
}

export type RescueStore = RescueRecords & RescueRemoval & RescueList;
