/**
 * An item that is kept for minutes or days and mostly used once: authorizations, used codes, connect sessions,
 * revocations still owed, the hub's jobs, the sweep's lock.
 */
export interface TransientItem {
  /** Begins with the kind: `authorization#<hash>`, `code#<hash>`, `session#<id>`. Never a secret itself. */
  readonly id: string;
  /**
   * Store time, epoch milliseconds. From then on the item counts as deleted, although DynamoDB's TTL deletes it
   * days later.
   */
  readonly expiresAt: number;
}

/** The transients table. All times are store time; an item past its `expiresAt` counts as absent for every call. */
export interface TransientStore {
  /** Puts a new item. `false`: an item with this id exists and has not expired, and nothing was written. */
  put<T extends TransientItem>(item: T): Promise<boolean>;
  /** Strongly consistent. @param by also finds an item that was consumed for this `by` */
  get<T extends TransientItem>(id: string, by?: string): Promise<T | undefined>;
  /**
   * Takes an item: the first `by` gets the item, and the same `by` gets it again at each call, so that a
   * request may be repeated if its answer was lost or it failed later. For any other call the item is absent
   * from then on; it may be put again.
   * @param by names what the item is taken for
   */
  consume<T extends TransientItem>(id: string, by: string): Promise<T | undefined>;
  /**
   * Overwrites the whole item if it exists, has not expired, and its `field` is still `seen` (`undefined`: it
   * has no such field).
   */
  replace<T extends TransientItem>(
    item: T,
    condition: { readonly field: keyof T & string; readonly seen: string | number | boolean | undefined },
  ): Promise<boolean>;
  /** Deletes an item, if it exists. */
  remove(id: string): Promise<void>;
  /** The store's time now, epoch milliseconds. */
  now(): number;
}
