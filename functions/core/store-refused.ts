/**
 * A store refuses a write for good: the item is too large, or its form is wrong. A second try would end in the
 * same way, so the writer stops at once. Any other failure of a store is an outage, and the write may succeed
 * later.
 */
export class StoreRefused extends Error {
  readonly store: "table" | "bucket" | "queue";
  /** Whether the store refuses the size. */
  readonly tooLarge: boolean;

  constructor(
    store: StoreRefused["store"],
    reason: string,
    options: { readonly tooLarge: boolean; readonly cause?: unknown },
  ) {
    super(
      `the ${store} refuses a write for good: ${reason}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "StoreRefused";
    this.store = store;
    this.tooLarge = options.tooLarge;
  }
}
