import { appendFile, mkdir } from "node:fs/promises";
import path from "node:path";
import type { Message } from "@aws-sdk/client-sqs";
import type { FrontDoor } from "../aws/front-door.ts";
import type { PipeModel } from "../template/pipe-model.ts";
import type { FunctionCredentials } from "./invoke.ts";
import { type PolledQueue, pollQueue } from "./poll-queue.ts";

/** Maximum number of events in memory, for tests; the file has all events. */
const MOST_EVENTS = 10_000;

export interface Pipe {
  /** The last log events, oldest first. */
  written(): readonly string[];
  close(): Promise<void>;
}

/**
 * EventBridge Pipes from SQS to CloudWatch Logs: receives messages with the pipe's role, writes each body
 * as a log event, then deletes the messages. Here a log group is a file of lines, `<folder>/<log
 * group>.jsonl`.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
 */
export function startPipe(options: {
  readonly model: PipeModel;
  readonly frontDoor: Pick<FrontDoor, "url" | "region" | "queueUrl">;
  readonly credentials: FunctionCredentials;
  readonly logFolder: string;
  readonly log: (line: string) => void;
}): Pipe {
  const { model, frontDoor, logFolder, credentials, log } = options;
  const file = path.join(logFolder, `${model.logGroup.replaceAll("/", "_")}.jsonl`);
  let events: string[] = [];

  async function carry(messages: readonly Message[], queue: PolledQueue): Promise<void> {
    // The pipe parses a JSON body and writes it as JSON again.
    const lines = messages.map(({ Body = "" }) => compact(Body));
    await mkdir(logFolder, { recursive: true, mode: 0o700 });
    await appendFile(file, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
    events = [...events, ...lines].slice(-MOST_EVENTS);
    await queue.delete(messages);
  }

  const { close } = pollQueue({
    name: `pipe ${model.name}`,
    queueUrl: frontDoor.queueUrl(model.queueName),
    endpoint: frontDoor.url,
    region: frontDoor.region,
    credentials,
    batchSize: model.batchSize,
    pollers: 1,
    work: carry,
    log,
  });
  return { written: () => events, close };
}

function compact(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    return JSON.stringify(body);
  }
}
