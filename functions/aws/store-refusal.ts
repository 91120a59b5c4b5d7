import { StoreRefused } from "../core/store-refused.ts";

/**
 * AWS errors that mean: this write can never succeed. The causes of all other errors (throttling, a 5xx, a
 * missing permission, a deleted store) may end, so a later attempt may succeed.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
const FOR_GOOD: Readonly<Record<StoreRefused["store"], ReadonlySet<string>>> = {
  table: new Set([
    "ValidationException",
    "ItemCollectionSizeLimitExceededException",
    "SerializationException",
    "RequestEntityTooLarge",
  ]),
  bucket: new Set(["EntityTooLarge", "KeyTooLongError", "InvalidArgument", "InvalidURI"]),
  queue: new Set(["InvalidMessageContents", "BatchRequestTooLong", "InvalidParameterValue"]),
};

const SIZE = /size|too ?(large|long)|exceed|shorter/i;

/** Returns the error to throw: a `StoreRefused` for a permanent refusal, any other error unchanged. */
export function asStoreRefused(store: StoreRefused["store"], error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { httpStatusCode } = (error as { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
  if (!FOR_GOOD[store].has(error.name) && httpStatusCode !== 413) return error;
  const tooLarge = httpStatusCode === 413 || SIZE.test(error.name) || SIZE.test(error.message);
  return new StoreRefused(store, tooLarge ? "it is too large" : error.name, { tooLarge, cause: error });
}
