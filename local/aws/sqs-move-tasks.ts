import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Queue } from "./queue.ts";
import { AwsError, type Exchange } from "./service.ts";
import { queueArn, queueByArn, type SqsOperation } from "./sqs-operation.ts";
import { type Body, integer } from "./sqs-parameters.ts";

/**
 * SQS lists the last ten tasks of a queue:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html
 */
const KEPT = 10;

/**
 * Redrive of dead letters:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
 * A task ends before its request is answered, so two tasks never run at the same time, and no task can be
 * cancelled.
 */
export function moveTaskOperations(
  queues: ReadonlyMap<string, Queue>,
  clock: Clock,
): Record<"StartMessageMoveTask" | "ListMessageMoveTasks", SqsOperation> {
  const tasks = new Map<string, Body[]>();

  function existing(name: string): Queue {
    const queue = queues.get(name);
    if (queue === undefined)
      throw new AwsError(404, "ResourceNotFoundException", `there is no queue ${queueArn(name)}`);
    return queue;
  }

  function sourcesOf(deadLetters: Queue): Queue[] {
    return [...queues.values()].filter(({ settings }) => settings.redrive?.deadLetters === deadLetters);
  }

  return {
    StartMessageMoveTask: {
      // The permissions of
      // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
      // `requireSend` checks sqs:SendMessage on the destinations, too.
      actions: [
        "sqs:StartMessageMoveTask",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
      ],
      parameters: ["SourceArn", "DestinationArn", "MaxNumberOfMessagesPerSecond"],
      queue: (body) => queueByArn(body, "SourceArn"),
      async act(body, name, exchange) {
        integer(body, "MaxNumberOfMessagesPerSecond", 1, 500);
        const source = existing(name);
        const sources = sourcesOf(source);
        // The error code is a guess: the page says only that SQS does not accept other queues.
        if (sources.length === 0) {
          throw new AwsError(
            400,
            "InvalidParameterValue",
            `${queueArn(name)} is not the dead-letter queue of any queue`,
          );
        }
        const given = body.DestinationArn === undefined ? undefined : queueByArn(body, "DestinationArn");
        const destination = given === undefined ? undefined : existing(given);
        if (destination === source)
          throw new AwsError(400, "InvalidParameterValue", "source and destination are the same queue");
        for (const each of destination === undefined ? sources : [destination]) requireSend(exchange, each);

        const toMove = source.depth().visible;
        const moved = source.moveVisible(destination);
        const task: Body = {
          Status: moved === toMove ? "COMPLETED" : "FAILED",
          SourceArn: queueArn(name),
          ...(given === undefined ? {} : { DestinationArn: queueArn(given) }),
          ...(body.MaxNumberOfMessagesPerSecond === undefined
            ? {}
            : { MaxNumberOfMessagesPerSecond: body.MaxNumberOfMessagesPerSecond }),
          ApproximateNumberOfMessagesMoved: moved,
          ApproximateNumberOfMessagesToMove: toMove,
          // The text is a guess.
          ...(moved === toMove ? {} : { FailureReason: "CouldNotDetermineMessageSource" }),
          StartedTimestamp: clock.now(),
        };
        tasks.set(name, [task, ...(tasks.get(name) ?? [])].slice(0, KEPT));
        return { TaskHandle: Buffer.from(randomUUID()).toString("base64") };
      },
    },
    ListMessageMoveTasks: {
      actions: ["sqs:ListMessageMoveTasks"],
      parameters: ["SourceArn", "MaxResults"],
      queue: (body) => queueByArn(body, "SourceArn"),
      async act(body, name) {
        const count = integer(body, "MaxResults", 1, KEPT) ?? 1;
        existing(name);
        return { Results: (tasks.get(name) ?? []).slice(0, count) };
      },
    },
  };
}

function requireSend(exchange: Exchange, { settings: { name } }: Queue): void {
  const need = { action: "sqs:SendMessage", resource: queueArn(name) };
  if (exchange.allows(need)) return;
  throw new AwsError(
    403,
    "AccessDeniedException",
    `not authorized to perform: ${need.action} on resource: ${need.resource}`,
  );
}
