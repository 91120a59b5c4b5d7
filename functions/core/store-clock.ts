/** A reading of the store's clock: the `Date` of one DynamoDB answer, and our monotonic clock just before its request. */
export interface StoreReading {
  /** Epoch milliseconds in whole seconds: at the answer, the true time is in [dateMs, dateMs + 1000). */
  readonly dateMs: number;
  /** performance.now() just before the request was sent. */
  readonly monotonicMs: number;
}

export interface Read<T> {
  readonly value: T;
  readonly reading: StoreReading;
}
