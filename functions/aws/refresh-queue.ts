import type { SQSClient } from "@aws-sdk/client-sqs";
import type { RefreshCause } from "../core/grant/grant-parts.ts";
import { type InstanceEvent, instanceEventNames } from "../core/grant/instance-event.ts";
import { sideBySide } from "../core/grant/schedule/side-by-side.ts";
import type { QueuedWork, WorkQueue } from "../core/grant/schedule/sweep.ts";
import { present } from "../core/present.ts";

export interface RefreshQueueOptions {
  readonly queueUrl: string;
  /** Another client than the environment's, for tests. */
  readonly client?: SQSClient;
}

/** SendMessageBatch takes no more entries. */
const BATCH = 10;
/** A page of the sweep at once; its shards side by side stay under the client's 50 connections (core/grant/schedule/sweep.ts). */
const BATCHES_AT_ONCE = 10;

/**
 * The refresh queue: a standard queue made fair by a MessageGroupId on each message
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html), so that one vendor's
 * backlog does not delay others. Nothing secret goes in: ids only. The SQS client is loaded where it is needed.
 */
export function refreshQueue({ queueUrl, client }: RefreshQueueOptions): WorkQueue {
  return {
    async send(work) {
      const entries = work.map(({ group, delaySeconds, ...message }, index) => ({
        Id: String(index),
        MessageBody: JSON.stringify(message),
        MessageGroupId: group,
        ...present({ DelaySeconds: delaySeconds }),
      }));
      // In no case an empty batch: SQS refuses it.
      const batches = Array.from({ length: Math.ceil(entries.length / BATCH) }, (_, number) =>
        entries.slice(number * BATCH, (number + 1) * BATCH),
      );
      const results = await sideBySide(batches, BATCHES_AT_ONCE, async (batch) => {
        const { sendMessages } = await import("./send-messages.ts");
        return await sendMessages(queueUrl, batch, client);
      });
      const sent = new Set(results.flatMap((each) => (each.status === "fulfilled" ? each.value : [])));
      // A batch that failed was not sent, as far as we know. That nothing went through has a reason to be told.
      const failed = results.find((each) => each.status === "rejected");
      if (failed !== undefined && sent.size === 0) throw failed.reason;
      return work.map((_, index) => sent.has(String(index)));
    },
  };
}

const CAUSES: readonly (RefreshCause | "delete")[] = [
  "schedule",
  "just_in_time",
  "unauthorized",
  "forced",
  "revive",
  "rescue",
  "delete",
];

/** @throws {Error} not a message of ours: it goes to the dead letters */
export function readMessage(body: string): QueuedWork {
  const message = JSON.parse(body) as Record<string, unknown> | null;
  const { kind, instanceId, cause, version, key, event, organizationId, userId, after, sessionId, epoch } =
    message ?? {};
  if (kind === "rescue" && typeof key === "string") return { kind, key };
  const knownCause = CAUSES.find((known) => known === cause);
  if (kind === "refresh" && typeof instanceId === "number" && knownCause !== undefined) {
    return { kind, instanceId, cause: knownCause, ...(typeof version === "number" ? { version } : {}) };
  }
  if (
    kind === "pending" &&
    typeof instanceId === "number" &&
    typeof sessionId === "string" &&
    typeof epoch === "string"
  ) {
    return { kind, instanceId, sessionId, epoch };
  }
  if (kind === "suspension" && typeof organizationId === "string" && typeof userId === "string") {
    return { kind, organizationId, userId, ...(typeof after === "string" ? { after } : {}) };
  }
  if (kind === "event") return { kind, event: readEvent(event) };
  throw new Error("a message that is no refresh, pending sign-in, rescue, suspension or event");
}

/** Field by field: nothing goes on to subscribers that is not one of these. */
function readEvent(value: unknown): InstanceEvent {
  const given = (value ?? {}) as Record<string, unknown>;
  const { name, id, at, organizationId, userId, instanceId, connector } = given;
  const { reason, error, errorDescription, missingScopes } = given;
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
    ...(typeof error === "string" ? { error } : {}),
    ...(typeof errorDescription === "string" ? { errorDescription } : {}),
    ...(Array.isArray(missingScopes)
      ? { missingScopes: missingScopes.filter((scope): scope is string => typeof scope === "string") }
      : {}),
  };
}
