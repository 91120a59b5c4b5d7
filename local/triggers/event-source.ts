import type { Message } from "@aws-sdk/client-sqs";
import type { EventSourceModel } from "../template/trigger-model.ts";
import type { FunctionCredentials, Invoke } from "./invoke.ts";
import { type PolledQueue, type Poller, pollQueue } from "./poll-queue.ts";

/** Concurrent batches where the mapping names no maximum: Lambda begins with five pollers. */
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
 * Lambda's event source mapping for SQS: receives under the function's role, invokes with a batch, deletes what was
 * done, leaves the rest to become visible again.
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
    // Lambda gives a throttled batch back to the queue, so that it counts as little as may be against its receives. (Our guess at the delay.)
    if (result.throttled === true) return await queue.giveBack(messages);
    if (!result.ok) return;
    const failed = failures(result.payload, messages);
    if (failed === "all") return;
    const done = messages.filter((message) => !failed.has(message.MessageId ?? ""));
    if (done.length > 0) await queue.delete(done);
  }

  /**
   * Whose deletion must wait. An answer that Lambda cannot read, or that names a message it did not send, counts as a
   * failure of the whole batch. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
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
