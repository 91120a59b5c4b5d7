import { appendFile, mkdir } from "node:fs/promises";
import path from "node:path";
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { FrontDoor } from "../aws/front-door.ts";
import type { PipeModel } from "../template/pipe-model.ts";
import type { FunctionCredentials } from "./invoke.ts";

/** SQS's longest wait for a message. */
const LONG_POLL_SECONDS = 20;
const PAUSE_AFTER_ERROR_MS = 500;
/** Kept in memory, for tests; the file has all. */
const MOST_EVENTS = 10_000;

export interface Pipe {
  /** The last log events, oldest first. */
  written(): readonly string[];
  close(): Promise<void>;
}

/**
 * EventBridge Pipes from SQS to CloudWatch Logs: receives under the pipe's role, writes each body as a log event, deletes what
 * was written. Here a log group is a file of lines, `<folder>/<log group>.jsonl`.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
 */
export function startPipe(options: {
  readonly model: PipeModel;
  readonly frontDoor: Pick<FrontDoor, "url" | "region" | "queueUrl">;
  readonly credentials: FunctionCredentials;
  readonly logFolder: string;
  readonly log: (line: string) => void;
}): Pipe {
  const { model, frontDoor, logFolder, log } = options;
  const QueueUrl = frontDoor.queueUrl(model.queueName);
  const file = path.join(logFolder, `${model.logGroup.replaceAll("/", "_")}.jsonl`);
  const sqs = new SQSClient({
    endpoint: frontDoor.url,
    region: frontDoor.region,
    credentials: options.credentials,
    maxAttempts: 1,
  });
  const stopping = new AbortController();
  let events: string[] = [];

  async function carry(messages: readonly Message[]): Promise<void> {
    // A body that is JSON is parsed on the way, and written as JSON again.
    const lines = messages.map(({ Body = "" }) => compact(Body));
    await mkdir(logFolder, { recursive: true, mode: 0o700 });
    await appendFile(file, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
    events = [...events, ...lines].slice(-MOST_EVENTS);
    await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
      }),
    );
  }

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: model.batchSize,
            WaitTimeSeconds: LONG_POLL_SECONDS,
          }),
          { abortSignal: stopping.signal },
        );
        if (Messages.length > 0) await carry(Messages);
      } catch (error) {
        if (stopping.signal.aborted) return;
        log(`pipe ${model.name}: ${error instanceof Error ? error.message : String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_ERROR_MS));
      }
    }
  }

  const polling = poll();
  return {
    written: () => events,
    async close() {
      stopping.abort();
      sqs.destroy();
      await polling;
    },
  };
}

function compact(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    return JSON.stringify(body);
  }
}
