import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { FunctionCredentials } from "./invoke.ts";

/** SQS's longest wait for a message. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const LONG_POLL_SECONDS = 20;
/** Pause after an error of the queue (a refused permission, a fault), and after `giveBack`. */
const PAUSE_MS = 500;
/** SQS's limit for one receive. */
const MOST_MESSAGES = 10;

export interface PollOptions {
  /** Name of the poller, for its log lines. */
  readonly name: string;
  readonly queueUrl: string;
  readonly endpoint: string;
  readonly region: string;
  /** Credentials with which the poller receives and deletes. */
  readonly credentials: FunctionCredentials;
  readonly batchSize: number;
  /** Number of batches at the same time. */
  readonly pollers: number;
  readonly work: (messages: readonly Message[], queue: PolledQueue) => Promise<void>;
  readonly log: (line: string) => void;
}

/**
 * The queue's operations for `work`. Messages that it neither deletes nor gives back become visible again
 * after their visibility timeout.
 */
export interface PolledQueue {
  delete(messages: readonly Message[]): Promise<void>;
  /** Makes the messages visible again after one second, then waits for a short time. */
  giveBack(messages: readonly Message[]): Promise<void>;
}

export interface Poller {
  /** Number of batches that `work` handles now. */
  busy(): number;
  close(): Promise<void>;
}

/** Receives from a queue over real HTTP, like the AWS services between a queue and its receiver. */
export function pollQueue({ queueUrl: QueueUrl, work, ...options }: PollOptions): Poller {
  const { endpoint, region, credentials } = options;
  const sqs = new SQSClient({ endpoint, region, credentials, maxAttempts: 1 });
  const stopping = new AbortController();
  let running = 0;

  const queue: PolledQueue = {
    async delete(messages) {
      const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    },
    async giveBack(messages) {
      for (const { ReceiptHandle } of messages) {
        await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 1 }));
      }
      await pause(PAUSE_MS, stopping.signal);
    },
  };

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: Math.min(options.batchSize, MOST_MESSAGES),
            WaitTimeSeconds: LONG_POLL_SECONDS,
            MessageSystemAttributeNames: ["All"],
            MessageAttributeNames: ["All"],
          }),
          { abortSignal: stopping.signal },
        );
        if (Messages.length === 0) continue;
        running += 1;
        try {
          await work(Messages, queue);
        } finally {
          running -= 1;
        }
      } catch (error) {
        if (stopping.signal.aborted) return;
        options.log(`${options.name}: ${error instanceof Error ? error.message : String(error)}`);
        await pause(PAUSE_MS, stopping.signal);
      }
    }
  }

  const polling = Array.from({ length: options.pollers }, poll);
  return {
    busy: () => running,
    async close() {
      stopping.abort();
      sqs.destroy();
      // Waits only 200 ms for running batches.
      await Promise.race([Promise.allSettled(polling), pause(200)]);
    },
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
