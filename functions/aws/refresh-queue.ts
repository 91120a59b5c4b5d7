import type { SQSClient } from "@aws-sdk/client-sqs";
import type { RefreshCause } from "../core/grant/grant-parts.ts";
import type { QueuedWork, WorkQueue } from "../core/grant/sweep.ts";

export interface RefreshQueueOptions {
  readonly queueUrl: string;
  /** Another client than the environment's, for tests. */
  readonly client?: SQSClient;
}

/** SendMessageBatch takes no more entries. */
const BATCH = 10;

/**
 * The refresh queue: a standard queue made fair by a MessageGroupId on each message
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html), so that one vendor's
 * backlog does not delay others. Nothing secret goes in: ids only. The SQS client is loaded where it is needed.
 */
export function refreshQueue({ queueUrl, client }: RefreshQueueOptions): WorkQueue {
  return {
    async send(work) {
      const sent = work.map(() => false);
      // In no case an empty batch: SQS refuses it.
      for (let start = 0; start < work.length; start += BATCH) {
        const { sendMessages } = await import("./send-messages.ts");
        const entries = work.slice(start, start + BATCH).map(({ group, ...message }, index) => ({
          Id: String(start + index),
          MessageBody: JSON.stringify(message),
          MessageGroupId: group,
        }));
        for (const id of await sendMessages(queueUrl, entries, client)) sent[Number(id)] = true;
      }
      return sent;
    },
  };
}

const CAUSES: readonly (RefreshCause | "delete")[] = [
  "schedule",
  "just_in_time",
  "unauthorized",
  "forced",
  "rescue",
  "delete",
];

/** @throws {Error} not a message of ours: it goes to the dead letters */
export function readMessage(body: string): QueuedWork {
  const message = JSON.parse(body) as Record<string, unknown> | null;
  const { kind, instanceId, cause, version, key } = message ?? {};
  if (kind === "rescue" && typeof key === "string") return { kind, key };
  const knownCause = CAUSES.find((known) => known === cause);
  if (kind === "refresh" && typeof instanceId === "number" && knownCause !== undefined) {
    return { kind, instanceId, cause: knownCause, ...(typeof version === "number" ? { version } : {}) };
  }
  throw new Error("a message that is neither a refresh nor a rescue");
}
