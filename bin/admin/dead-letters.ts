import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";

/** The operator's calls for the dead-letter queue of the work queue. */
export interface DeadLetters {
  /** Approximate number of messages. */
  count(): Promise<number>;
  /** Reads up to `limit` messages and leaves them in the queue. */
  look(limit: number): Promise<readonly DeadLetter[]>;
  /** Deletes the messages with these ids. @returns the ids that were found */
  remove(ids: readonly string[]): Promise<readonly string[]>;
  /** Moves all messages back to the work queue, and waits until they are moved. */
  redrive(): Promise<{ readonly status: string; readonly moved: number; readonly reason?: string }>;
}

export interface DeadLetter {
  readonly id: string;
  readonly body: string;
  /** Epoch milliseconds. */
  readonly sentAt: number;
  readonly received: number;
}

/** ReceiveMessage and the batch calls take at most this many messages. */
const BATCH = 10;
/**
 * How long a message stays hidden from other readers if this process ends before it returns the message to
 * the queue.
 */
const HIDDEN_SECONDS = 30;
/**
 * Long polling, because it asks every server of SQS; an empty answer of short polling does not prove that the
 * queue is empty.
 */
const WAIT_SECONDS = 1;
/** Time between two reads of the redrive's status. SQS moves hundreds of messages in a second. */
const POLL_MS = 1_000;
const LONGEST_POLL_MS = 120_000;

/**
 * SQS shows messages only to a receiver, so they are received and then returned to the queue.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 */
export function deadLetters(client: SQSClient, queueUrl: string): DeadLetters {
  async function receive(limit: number): Promise<Message[]> {
    const found = new Map<string, Message>();
    while (found.size < limit) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: Math.min(BATCH, limit - found.size),
          VisibilityTimeout: HIDDEN_SECONDS,
          WaitTimeSeconds: WAIT_SECONDS,
          MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
        }),
      );
      const before = found.size;
      for (const message of Messages) found.set(message.MessageId ?? "", message);
      // No new message: all messages were received, or the standard queue delivered a message a second time.
      if (found.size === before) break;
    }
    return [...found.values()];
  }

  async function giveBack(messages: readonly Message[]): Promise<void> {
    for (let start = 0; start < messages.length; start += BATCH) {
      const Entries = messages.slice(start, start + BATCH).map(({ ReceiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle,
        VisibilityTimeout: 0,
      }));
      await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  }

  async function attributes(): Promise<{ arn: string; count: number }> {
    const { Attributes = {} } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: ["QueueArn", "ApproximateNumberOfMessages"],
      }),
    );
    return { arn: Attributes.QueueArn ?? "", count: Number(Attributes.ApproximateNumberOfMessages ?? 0) };
  }

  return {
    count: async () => (await attributes()).count,
    async look(limit) {
      const messages = await receive(limit);
      await giveBack(messages);
      return messages.map(({ MessageId = "", Body = "", Attributes = {} }) => ({
        id: MessageId,
        body: Body,
        sentAt: Number(Attributes.SentTimestamp ?? 0),
        received: Number(Attributes.ApproximateReceiveCount ?? 0),
      }));
    },
    async remove(ids) {
      const messages = await receive(Number.POSITIVE_INFINITY);
      const chosen = messages.filter(({ MessageId = "" }) => ids.includes(MessageId));
      for (const { ReceiptHandle } of chosen)
        await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
      await giveBack(messages.filter((message) => !chosen.includes(message)));
      return chosen.map(({ MessageId = "" }) => MessageId);
    },
    async redrive() {
      const { arn: SourceArn } = await attributes();
      // Without a destination, each message goes to the queue where it failed.
      await client.send(new StartMessageMoveTaskCommand({ SourceArn }));
      for (let waited = 0; ; waited += POLL_MS) {
        const { Results = [] } = await client.send(new ListMessageMoveTasksCommand({ SourceArn }));
        const [task] = Results;
        const status = task?.Status ?? "RUNNING";
        if (status !== "RUNNING" || waited >= LONGEST_POLL_MS) {
          const reason = task?.FailureReason;
          return {
            status,
            moved: task?.ApproximateNumberOfMessagesMoved ?? 0,
            ...(reason === undefined ? {} : { reason }),
          };
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
  };
}
