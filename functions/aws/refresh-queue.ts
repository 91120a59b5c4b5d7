import type { SQSClient } from "@aws-sdk/client-sqs";
import type { RefreshCause } from "../core/grant/grant-parts.ts";
import { type InstanceEvent, instanceEventNames } from "../core/grant/instance-event.ts";
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
  const { kind, instanceId, cause, version, key, event } = message ?? {};
  if (kind === "rescue" && typeof key === "string") return { kind, key };
  const knownCause = CAUSES.find((known) => known === cause);
  if (kind === "refresh" && typeof instanceId === "number" && knownCause !== undefined) {
    return { kind, instanceId, cause: knownCause, ...(typeof version === "number" ? { version } : {}) };
  }
  if (kind === "event") return { kind, event: readEvent(event) };
  throw new Error("a message that is neither a refresh, a rescue nor an event");
}

/** Field by field: nothing goes on to subscribers that is not one of these. */
function readEvent(value: unknown): InstanceEvent {
  const { name, id, at, organizationId, userId, instanceId, connector, reason } = (value ?? {}) as Record<
    string,
    unknown
  >;
  const known = instanceEventNames.find((each) => each === name);
  if (
    known === undefined ||
    typeof id !== "string" ||
    typeof at !== "number" ||
    typeof organizationId !== "string" ||
    typeof instanceId !== "number" ||
    typeof connector !== "string"
  ) {
    throw new Error("an event that lacks what every event has");
  }
  return {
    name: known,
    id,
    at,
    organizationId,
    ...(typeof userId === "string" ? { userId } : {}),
    instanceId,
    connector,
    ...(typeof reason === "string" ? { reason } : {}),
  };
}
