import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { EventSourceModel } from "../template/trigger-model.ts";
import type { FunctionCredentials, Invoke } from "./invoke.ts";

/** SQS's longest wait for a message. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const LONG_POLL_SECONDS = 20;
/** After an error of the queue itself (a refused permission, a fault) the poller looks again. */
const PAUSE_AFTER_ERROR_MS = 500;
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

export interface EventSource {
  /** Batches that are being worked on now. */
  busy(): number;
  close(): Promise<void>;
}

interface BatchResponse {
  readonly batchItemFailures?: readonly { readonly itemIdentifier?: string }[];
}

/**
 * Lambda's event source mapping for SQS: receives under the function's role, invokes with a batch, deletes what was
 * done, leaves the rest to become visible again.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and services-sqs-errorhandling.html
 */
export function startEventSource(options: EventSourceOptions): EventSource {
  const { model, queueUrl, invoke, log } = options;
  const sqs = new SQSClient({
    endpoint: options.endpoint,
    region: options.region,
    credentials: options.credentials,
    maxAttempts: 1,
  });
  const stopping = new AbortController();
  let running = 0;

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: queueUrl,
            MaxNumberOfMessages: Math.min(model.batchSize, 10),
            WaitTimeSeconds: LONG_POLL_SECONDS,
            MessageSystemAttributeNames: ["All"],
            MessageAttributeNames: ["All"],
          }),
          { abortSignal: stopping.signal },
        );
        if (Messages.length === 0) continue;
        running += 1;
        try {
          await work(Messages);
        } finally {
          running -= 1;
        }
      } catch (error) {
        if (stopping.signal.aborted) return;
        log(`event source ${model.queueName}: ${error instanceof Error ? error.message : String(error)}`);
        await pause(PAUSE_AFTER_ERROR_MS, stopping.signal);
      }
    }
  }

  async function work(messages: readonly Message[]): Promise<void> {
    const result = await invoke(model.functionName, {
      Records: messages.map((message) => record(message, model.queueArn, options.region)),
    });
    // Lambda gives a throttled batch back to the queue, so that it counts as little as may be against its receives. (Our guess at the delay.)
    if (result.throttled === true) return makeVisible(messages);
    if (!result.ok) return;
    const failed = failures(result.payload, messages);
    if (failed === "all") return;
    const done = messages.filter((message) => !failed.has(message.MessageId ?? ""));
    if (done.length === 0) return;
    await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: done.map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle })),
      }),
    );
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

  async function makeVisible(messages: readonly Message[]): Promise<void> {
    for (const message of messages) {
      await sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: queueUrl,
          ReceiptHandle: message.ReceiptHandle,
          VisibilityTimeout: 1,
        }),
      );
    }
    await pause(PAUSE_AFTER_ERROR_MS, stopping.signal);
  }

  const pollers = Array.from(
    { length: Math.min(model.maximumConcurrency ?? DEFAULT_CONCURRENCY, DEFAULT_CONCURRENCY) },
    poll,
  );
  return {
    busy: () => running,
    async close() {
      stopping.abort();
      sqs.destroy();
      // A batch under way ends with its function's process; nobody waits for it.
      await Promise.race([Promise.allSettled(pollers), pause(200)]);
    },
  };
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

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
