/**
 * Something that lives for minutes or days and is mostly used once: authorizations, codes seen, connect sessions,
 * revocations still owed, the sweep's lock.
 */
export interface TransientItem {
  /** With its kind in front: `authorization#<hash>`, `code#<hash>`, `session#<id>`. Never a secret itself. */
  readonly id: string;
  /** Store time, epoch milliseconds. From then on the item counts as gone, though DynamoDB's TTL deletes it days later. */
  readonly expiresAt: number;
}

/** The transients table. All times are store time; an item past its `expiresAt` counts as absent for every call. */
export interface TransientStore {
  /** Puts a new item. `false`: one of this id is there and lives, and nothing was written. */
  put<T extends TransientItem>(item: T): Promise<boolean>;
  /** Strongly consistent. @param by finds what was taken for it, too */
  get<T extends TransientItem>(id: string, by?: string): Promise<T | undefined>;
  /**
   * Takes an item: the first `by` gets the item, and the same `by` gets it again at each call, so that a request whose answer
   * was lost or that failed later on may come again. For all other calls it is gone from then on; it may be put again.
   * @param by names what it is taken for
   */
  consume<T extends TransientItem>(id: string, by: string): Promise<T | undefined>;
  /** Overwrites the whole item if it is there, lives, and its `field` is still `seen` (`undefined`: has no such field). */
  replace<T extends TransientItem>(
    item: T,
    condition: { readonly field: keyof T & string; readonly seen: string | number | boolean | undefined },
  ): Promise<boolean>;
  /** Deletes an item, if it is there. */
  remove(id: string): Promise<void>;
  /** The store's time now, epoch milliseconds. */
  now(): number;
}
