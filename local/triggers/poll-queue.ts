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
/** After an error of the queue itself (a refused permission, a fault) the poller looks again. */
const PAUSE_MS = 500;
/** SQS's own limit. */
const MOST_MESSAGES = 10;

export interface PollOptions {
  /** Of the poller, for its log lines. */
  readonly name: string;
  readonly queueUrl: string;
  readonly endpoint: string;
  readonly region: string;
  /** It receives and deletes under its own role. */
  readonly credentials: FunctionCredentials;
  readonly batchSize: number;
  /** So many batches at once. */
  readonly pollers: number;
  readonly work: (messages: readonly Message[], queue: PolledQueue) => Promise<void>;
  readonly log: (line: string) => void;
}

/** What a poller does with the messages that it has. Those that it neither deletes nor gives back come again by themselves. */
export interface PolledQueue {
  delete(messages: readonly Message[]): Promise<void>;
  /** Lets them be received again in a second, and waits a little itself. */
  giveBack(messages: readonly Message[]): Promise<void>;
}

export interface Poller {
  /** Batches that are being worked on now. */
  busy(): number;
  close(): Promise<void>;
}

/** Receives from a queue over real HTTP, as the services do that AWS runs between a queue and its receiver. */
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
      // A batch under way ends with its receiver; nobody waits for it.
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
