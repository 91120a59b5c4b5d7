import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { asStoreRefused } from "./store-refusal.ts";

// Loaded only when there is a message to send (work-queue.ts, audit-queue.ts).

export interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId?: string;
  readonly DelaySeconds?: number;
}

let client: SQSClient | undefined;

/**
 * Sends messages and returns the ids of the sent ones: an answer of 200 does not mean that all were sent.
 * Logs each message that the queue refuses permanently, because no code sends that message again.
 * @throws {StoreRefused} the queue will never accept this batch
 */
export async function sendMessages(
  queueUrl: string,
  entries: readonly Entry[],
  given?: SQSClient,
  abortSignal?: AbortSignal,
): Promise<string[]> {
  client ??= new SQSClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  });
  const batch = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: [...entries] });
  const { Successful = [], Failed = [] } = await (given ?? client)
    .send(batch, abortSignal === undefined ? {} : { abortSignal })
    .catch((error: unknown) => {
      throw asStoreRefused("queue", error);
    });
  for (const { Code } of Failed.filter(({ SenderFault }) => SenderFault === true)) {
    const message = "a queue refuses a message for good";
    console.error(JSON.stringify({ level: "error", message, reason: Code }));
  }
  return Successful.flatMap(({ Id }) => Id ?? []);
}
