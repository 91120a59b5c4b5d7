import type { SQSClient } from "@aws-sdk/client-sqs";
import { mapConcurrently } from "../core/map-concurrently.ts";
import { present } from "../core/present.ts";
import { writeMessage } from "../core/work-queue/message.ts";
import type { WorkQueue } from "../core/work-queue/work.ts";

export interface WorkQueueOptions {
  readonly queueUrl: string;
  /** Another client than the environment's, for tests. */
  readonly client?: SQSClient;
}

/** SendMessageBatch takes at most this many entries. */
const BATCH = 10;
/**
 * Batches that are sent in parallel: enough to send a page of the sweep at once. All shards of the sweep
 * together stay below the client's 50 connections (core/grant/schedule/sweep.ts).
 */
const BATCHES_AT_ONCE = 10;

/**
 * The work queue: a standard queue made fair by a MessageGroupId on each message
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html), so that
 * one vendor's backlog does not delay others. Messages carry ids, no secrets. The SQS client is loaded at the
 * first message.
 */
export function workQueue({ queueUrl, client }: WorkQueueOptions): WorkQueue {
  return {
    async send(work) {
      const entries = work.map(({ group, delaySeconds, ...each }, index) => ({
        Id: String(index),
        MessageBody: writeMessage(each),
        MessageGroupId: group,
        ...present({ DelaySeconds: delaySeconds }),
      }));
      // No batch is empty, because SQS refuses an empty batch.
      const batches = Array.from({ length: Math.ceil(entries.length / BATCH) }, (_, number) =>
        entries.slice(number * BATCH, (number + 1) * BATCH),
      );
      const results = await mapConcurrently(batches, BATCHES_AT_ONCE, async (batch) => {
        const { sendMessages } = await import("./send-messages.ts");
        return await sendMessages(queueUrl, batch, client);
      });
      const sent = new Set(results.flatMap((each) => (each.status === "fulfilled" ? each.value : [])));
      // A failed batch counts as not sent. If no message was sent at all, the reason is thrown.
      const failed = results.find((each) => each.status === "rejected");
      if (failed !== undefined && sent.size === 0) throw failed.reason;
      return work.map((_, index) => sent.has(String(index)));
    },
  };
}
