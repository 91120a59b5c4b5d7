import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";

// Loaded only when there is something to send (refresh-queue.ts, audit-queue.ts).

export interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId?: string;
  readonly DelaySeconds?: number;
}

let client: SQSClient | undefined;

/** The ids of those that were sent: an answer of 200 does not say that all were. */
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
  const { Successful = [] } = await (given ?? client).send(
    new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: [...entries] }),
    abortSignal === undefined ? {} : { abortSignal },
  );
  return Successful.flatMap(({ Id }) => Id ?? []);
}
