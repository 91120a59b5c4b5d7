import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { StoreReading } from "../core/store-clock.ts";

/** The store's clock, computed from the `Date` header of the latest answer and the time since that answer. */
export interface StoreClock {
  /** Epoch milliseconds, at most about a second behind. Before the first answer: this machine's clock. */
  now(): number;
}

export interface StoreClient {
  readonly documents: DynamoDBDocumentClient;
  readonly clock: StoreClock;
}

/** Keyed by an answer's `$metadata` object, which the document client passes on unchanged. */
const readings = new WeakMap<object, StoreReading>();

/**
 * The reading of the store's clock in one answer.
 * @throws {Error} the answer has no `Date` header, so it is not from DynamoDB
 */
export function readingOf(output: { readonly $metadata: object }): StoreReading {
  const reading = readings.get(output.$metadata);
  if (reading === undefined) throw new Error("the store's answer had no Date header");
  return reading;
}

/**
 * A DynamoDB client that observes the `Date` header of each answer: leases, expiry and due times use the
 * store's time, because the clocks of functions differ. Its timeouts are short, because a refresh has only
 * seconds for its read.
 * @param config region, endpoint and credentials, for the operator's command line and tests; the
 * environment's by default
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

  // The `deserialize` step runs once for each attempt, so that each retry has its own reading.
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
        // An error answer (a condition that does not hold, for example) has a `Date` header, too.
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
