import type { Message } from "@aws-sdk/client-sqs";
import type { EventSourceModel } from "../template/trigger-model.ts";
import type { FunctionCredentials, Invoke } from "./invoke.ts";
import { type PolledQueue, type Poller, pollQueue } from "./poll-queue.ts";

/** Concurrent batches if the mapping has no maximum: Lambda starts with five pollers. */
const DEFAULT_CONCURRENCY = 5;

export interface EventSourceOptions {
  readonly model: EventSourceModel;
  readonly queueUrl: string;
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: FunctionCredentials;
  readonly invoke: Invoke;
  readonly log: (line: string) => void;
}

interface BatchResponse {
  readonly batchItemFailures?: readonly { readonly itemIdentifier?: string }[];
}

/**
 * Lambda's event source mapping for SQS: receives messages with the function's role, invokes the function
 * with a batch, and deletes the messages that succeeded. The others become visible again after their
 * visibility timeout.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and services-sqs-errorhandling.html
 */
export function startEventSource({ model, invoke, ...options }: EventSourceOptions): Poller {
  return pollQueue({
    ...options,
    name: `event source ${model.queueName}`,
    batchSize: model.batchSize,
    pollers: Math.min(model.maximumConcurrency ?? DEFAULT_CONCURRENCY, DEFAULT_CONCURRENCY),
    work,
  });

  async function work(messages: readonly Message[], queue: PolledQueue): Promise<void> {
    const result = await invoke(model.functionName, {
      Records: messages.map((message) => record(message, model.queueArn, options.region)),
    });
    // Lambda returns a throttled batch to the queue. The delay of `giveBack` is our guess.
    if (result.throttled === true) return await queue.giveBack(messages);
    if (!result.ok) return;
    const failed = failures(result.payload, messages);
    if (failed === "all") return;
    const done = messages.filter((message) => !failed.has(message.MessageId ?? ""));
    if (done.length > 0) await queue.delete(done);
  }

  /**
   * Ids of the messages that must stay in the queue. An answer that Lambda cannot read, or that names a
   * message outside of the batch, counts as a failure of the whole batch.
   * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
   */
  function failures(payload: unknown, messages: readonly Message[]): ReadonlySet<string> | "all" {
    if (!model.reportsBatchItemFailures) return new Set();
    const listed = (payload as BatchResponse | null | undefined)?.batchItemFailures;
    if (payload === null || payload === undefined || listed === null || listed === undefined)
      return new Set();
    if (!Array.isArray(listed)) return "all";
    const known = new Set(messages.map((message) => message.MessageId));
    const ids = listed.map(({ itemIdentifier }) => itemIdentifier);
    return ids.every((id) => id !== undefined && id !== "" && known.has(id))
      ? new Set(ids as string[])
      : "all";
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event */
function record(message: Message, queueArn: string, region: string): Record<string, unknown> {
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: {},
    md5OfBody: message.MD5OfBody,
    eventSource: "aws:sqs",
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}
