import type { Sealed } from "./instance.ts";

/** Details of a vendor's file or folder that Linkspan keeps for an instance. */
export interface StoredDetails {
  /** Names account and item (core/documents/kept-details.ts). */
  readonly key: string;
  readonly sealed: Sealed;
}

/** Kept details, in the table of the instances: read and written by the Documents hub. */
export interface KeptDetailsStore {
  /** One GetItem. */
  get(instanceId: number, key: string): Promise<StoredDetails | undefined>;
  /** One Query: the first megabyte, some thousands. `isWhole`: there are no more. */
  first(instanceId: number): Promise<{ readonly found: readonly StoredDetails[]; readonly isWhole: boolean }>;
  /** BatchGetItem, 100 keys a request. */
  many(instanceId: number, keys: readonly string[]): Promise<StoredDetails[]>;
  put(instanceId: number, details: StoredDetails): Promise<void>;
  remove(instanceId: number, key: string): Promise<void>;
  /** SET keepsDetails IF the instance exists AND not deleting. */
  mark(instanceId: number): Promise<boolean>;
}

/** For the worker that deletes an instance. */
export interface KeptDetailsRemoval {
  /** Removes all kept details of an instance. */
  removeDetails(instanceId: number): Promise<void>;
}

/** For the operator who rotates a data key. */
export interface KeptDetailsResealing {
  /** All kept details of an instance, page by page. */
  listDetails(instanceId: number): AsyncIterable<readonly StoredDetails[]>;
  /** SET sealed IF it is the one seen, byte for byte. */
  resealDetails(instanceId: number, seen: StoredDetails, sealed: Sealed): Promise<boolean>;
}
