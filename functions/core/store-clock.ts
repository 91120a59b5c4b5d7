/** A reading of the store's clock: the `Date` of one DynamoDB answer, and our monotonic clock just before its request. */
export interface StoreReading {
  /** Epoch milliseconds; whole seconds, so the true time lies in [dateMs, dateMs + 1000) at the answer. */
  readonly dateMs: number;
  /** performance.now() just before the request was sent. */
  readonly monotonicMs: number;
}

export interface Read<T> {
  readonly value: T;
  readonly reading: StoreReading;
}
