import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { StoreReading } from "../core/store-clock.ts";

/** The store's clock, as this process knows it: by the latest answer's `Date` header and the time since. */
export interface StoreClock {
  /** Epoch milliseconds, at most about a second behind. Before the first answer: this machine's clock. */
  now(): number;
}

export interface StoreClient {
  readonly documents: DynamoDBDocumentClient;
  readonly clock: StoreClock;
}

/** Keyed by an answer's `$metadata`, which the document client hands on as it is. */
const readings = new WeakMap<object, StoreReading>();

/**
 * What the clock of the store said in one answer.
 * @throws {Error} the answer came without a `Date` header: not DynamoDB
 */
export function readingOf(output: { readonly $metadata: object }): StoreReading {
  const reading = readings.get(output.$metadata);
  if (reading === undefined) throw new Error("the store's answer had no Date header");
  return reading;
}

/**
 * A DynamoDB client that observes the `Date` of each answer: leases, expiry and due times go by the store's time, since the
 * clocks of functions differ. Strict timeouts: a refresh has seconds for its read.
 * @param config where and as whom, for the operator's command line and tests; the environment's by default
 */
export function dynamoClient(config: DynamoDBClientConfig = {}): StoreClient {
  let last: (StoreReading & { readonly wallMs: number }) | undefined;
  const client = new DynamoDBClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
    ...config,
  });

  function observe(response: unknown, monotonicMs: number): StoreReading | undefined {
    const headers = (response as { headers?: Record<string, string> } | undefined)?.headers;
    const dateMs = Date.parse(headers?.date ?? "");
    if (Number.isNaN(dateMs)) return undefined;
    const reading: StoreReading = { dateMs, monotonicMs };
    last = { ...reading, wallMs: Date.now() };
    return reading;
  }

  // In the `deserialize` step: once for each attempt, so that a retry's reading is its own.
  client.middlewareStack.add(
    (next) => async (args) => {
      const monotonicMs = performance.now();
      try {
        const result = await next(args);
        const reading = observe(result.response, monotonicMs);
        const metadata = result.output?.$metadata;
        if (reading !== undefined && metadata !== undefined) readings.set(metadata, reading);
        return result;
      } catch (error) {
        // A refused condition is an answer too.
        observe((error as { $response?: unknown }).$response, monotonicMs);
        throw error;
      }
    },
    { step: "deserialize", priority: "high", name: "observeStoreTime" },
  );

  return {
    documents: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
    clock: {
      now() {
        if (last === undefined) return Date.now();
        // A frozen Lambda's monotonic clock may stand still between two invocations; its wall clock does not.
        const passedMs = Math.max(performance.now() - last.monotonicMs, Date.now() - last.wallMs);
        return Math.floor(last.dateMs + Math.max(0, passedMs));
      },
    },
  };
}
