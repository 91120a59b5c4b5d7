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

/** The transients table. All times are store time; an item past its `expiresAt` is as good as absent for every call. */
export interface TransientStore {
  /** Puts a new item. `false`: one of this id is there and lives, and nothing was written. */
  put<T extends TransientItem>(item: T): Promise<boolean>;
  /** Strongly consistent. */
  get<T extends TransientItem>(id: string): Promise<T | undefined>;
  /** Takes an item out: of several callers exactly one gets it. */
  consume<T extends TransientItem>(id: string): Promise<T | undefined>;
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
