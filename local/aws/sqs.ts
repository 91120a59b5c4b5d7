import type { Clock } from "../clock.ts";
import { Queue, type QueuedMessage, type ReceivedMessage } from "./queue.ts";
import {
  AwsError,
  type AwsOperation,
  type AwsRequest,
  type AwsService,
  jsonAnswer,
  jsonBody,
  refuseUnknownParameters,
  targetOperation,
} from "./service.ts";
import { moveTaskOperations } from "./sqs-move-tasks.ts";
import { queueArn, queueByUrl, type SqsOperation } from "./sqs-operation.ts";
import { type Body, batchAnswer, batchEntries, integer, names, text } from "./sqs-parameters.ts";
import { type AwsQueue, localAccountId, type QueueDepth } from "./types.ts";

/** SQS, and the queue depths that the platform itself may read. */
export interface LocalSqs extends AwsService {
  depth(name: string): QueueDepth;
}

const maxMessageBytes = 1024 * 1024;

/**
 * SQS with standard queues in memory. Messages are lost when the process ends; the sweep then sends them
 * again.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
 *
 * We do not use fauxqs 2.4, because it drops the MessageGroupId of messages in standard queues, uses the
 * system's clock and listens on every address.
 */
export function localSqs(queues: readonly AwsQueue[], clock: Clock, frontDoorUrl: string): LocalSqs {
  const made = makeQueues(queues, clock);

  function queueOf(name: string): Queue {
    const queue = made.get(name);
    if (queue === undefined)
      throw new AwsError(400, "QueueDoesNotExist", "The specified queue does not exist.");
    return queue;
  }

  const operations: Record<string, SqsOperation> = {
    ...moveTaskOperations(made, clock),
    SendMessage: {
      actions: ["sqs:SendMessage"],
      queue: queueByUrl,
      parameters: ["QueueUrl", "MessageBody", "DelaySeconds", "MessageGroupId"],
      act: async (body, name) => send(queueOf(name), body),
    },
    SendMessageBatch: {
      actions: ["sqs:SendMessage"],
      queue: queueByUrl,
      parameters: ["QueueUrl", "Entries"],
      async act(body, name) {
        const queue = queueOf(name);
        const entries = batchEntries(body, ["Id", "MessageBody", "DelaySeconds", "MessageGroupId"]);
        const bytes = entries.reduce(
          (sum, entry) => sum + Buffer.byteLength(String(entry.MessageBody ?? "")),
          0,
        );
        if (bytes > maxMessageBytes) {
          throw new AwsError(400, "BatchRequestTooLong", `the batch has more than ${maxMessageBytes} bytes`);
        }
        return batchAnswer(entries, (entry) => send(queue, entry));
      },
    },
    ReceiveMessage: {
      actions: ["sqs:ReceiveMessage"],
      queue: queueByUrl,
      parameters: [
        "QueueUrl",
        "MaxNumberOfMessages",
        "VisibilityTimeout",
        "WaitTimeSeconds",
        "MessageSystemAttributeNames",
        "AttributeNames",
        // Messages have no attributes here; a request for them is harmless.
        "MessageAttributeNames",
      ],
      async act(body, name, exchange) {
        const queue = queueOf(name);
        const count = integer(body, "MaxNumberOfMessages", 1, 10) ?? 1;
        const visibility = integer(body, "VisibilityTimeout", 0, 43_200);
        const wait = integer(body, "WaitTimeSeconds", 0, 20) ?? 0;
        const timeoutMs = visibility === undefined ? queue.settings.visibilityTimeoutMs : visibility * 1000;
        const received = await queue.receive(count, timeoutMs, wait * 1000, exchange.signal);
        const wanted = [...names(body.MessageSystemAttributeNames), ...names(body.AttributeNames)];
        return received.length === 0 ? {} : { Messages: received.map((one) => receivedMessage(one, wanted)) };
      },
    },
    DeleteMessage: {
      actions: ["sqs:DeleteMessage"],
      queue: queueByUrl,
      parameters: ["QueueUrl", "ReceiptHandle"],
      async act(body, name) {
        queueOf(name).delete(text(body, "ReceiptHandle"));
        return {};
      },
    },
    DeleteMessageBatch: {
      actions: ["sqs:DeleteMessage"],
      queue: queueByUrl,
      parameters: ["QueueUrl", "Entries"],
      async act(body, name) {
        const queue = queueOf(name);
        return batchAnswer(batchEntries(body, ["Id", "ReceiptHandle"]), (entry) => {
          queue.delete(text(entry, "ReceiptHandle"));
          return {};
        });
      },
    },
    ChangeMessageVisibility: {
      actions: ["sqs:ChangeMessageVisibility"],
      queue: queueByUrl,
      parameters: ["QueueUrl", "ReceiptHandle", "VisibilityTimeout"],
      act: async (body, name) => changeVisibility(queueOf(name), body),
    },
    ChangeMessageVisibilityBatch: {
      actions: ["sqs:ChangeMessageVisibility"],
      queue: queueByUrl,
      parameters: ["QueueUrl", "Entries"],
      async act(body, name) {
        const queue = queueOf(name);
        const entries = batchEntries(body, ["Id", "ReceiptHandle", "VisibilityTimeout"]);
        return batchAnswer(entries, (entry) => changeVisibility(queue, entry));
      },
    },
    GetQueueAttributes: {
      actions: ["sqs:GetQueueAttributes"],
      queue: queueByUrl,
      parameters: ["QueueUrl", "AttributeNames"],
      async act(body, name) {
        const attributes = queueAttributes(queueOf(name));
        const wanted = names(body.AttributeNames);
        const chosen = Object.entries(attributes).filter(
          ([key]) => wanted.includes("All") || wanted.includes(key),
        );
        return { Attributes: Object.fromEntries(chosen) };
      },
    },
    GetQueueUrl: {
      actions: ["sqs:GetQueueUrl"],
      queue: (body) => text(body, "QueueName"),
      parameters: ["QueueName", "QueueOwnerAWSAccountId"],
      async act(_body, name) {
        queueOf(name);
        return { QueueUrl: queueUrl(frontDoorUrl, name) };
      },
    },
  };

  return {
    name: "sqs",
    // Ten messages may have 1 MiB together; JSON may need six characters for one byte of text.
    bodyLimit: 8 * 1024 * 1024,
    errors: {
      accessDenied: [403, "AccessDeniedException"],
      unknownAccessKey: [403, "InvalidClientTokenId"],
      badSignature: [403, "SignatureDoesNotMatch"],
      throttled: [400, "RequestThrottled"],
      internal: [500, "InternalError"],
    },
    read(request: AwsRequest): AwsOperation {
      const operationName = targetOperation(request, "AmazonSQS");
      const operation = Object.hasOwn(operations, operationName) ? operations[operationName] : undefined;
      if (operation === undefined) {
        throw new AwsError(400, "UnsupportedOperation", `the local SQS has no ${operationName}`);
      }
      const body = jsonBody(request);
      refuseUnknownParameters(operationName, body, operation.parameters);
      const name = operation.queue(body);
      const resource = queueArn(name);
      const [own, ...others] = operation.actions;
      return {
        needs: [{ action: own, resource }, ...others.map((action) => ({ action, resource }))],
        act: async (exchange) => jsonAnswer("1.0", 200, await operation.act(body, name, exchange)),
      };
    },
    errorAnswer: (error) =>
      jsonAnswer(
        "1.0",
        error.status,
        { __type: `com.amazonaws.sqs#${error.code}`, message: error.message },
        // SDKs that once used the query protocol take the exception's name from this header.
        {
          "x-amzn-query-error": `${queryCodes[error.code] ?? error.code};${error.status < 500 ? "Sender" : "Receiver"}`,
        },
      ),
    depth: (name) => queueOf(name).depth(),
    close: async () => {},
  };
}

/** `http://127.0.0.1:<port>/<account>/<name>`: SDKs send a queue's requests to the host of its URL. */
export function queueUrl(frontDoorUrl: string, name: string): string {
  return `${frontDoorUrl}/${localAccountId}/${name}`;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors */
const queryCodes: Readonly<Record<string, string>> = {
  QueueDoesNotExist: "AWS.SimpleQueueService.NonExistentQueue",
  AccessDeniedException: "AccessDenied",
  EmptyBatchRequest: "AWS.SimpleQueueService.EmptyBatchRequest",
  TooManyEntriesInBatchRequest: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
  BatchEntryIdsNotDistinct: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
  BatchRequestTooLong: "AWS.SimpleQueueService.BatchRequestTooLong",
  MessageNotInflight: "AWS.SimpleQueueService.MessageNotInflight",
};

/** Makes the dead-letter queues first, because the other queues refer to them. */
function makeQueues(queues: readonly AwsQueue[], clock: Clock): Map<string, Queue> {
  const made = new Map<string, Queue>();
  const ordered = [...queues].sort(
    (a, b) => Number(a.redrive !== undefined) - Number(b.redrive !== undefined),
  );
  for (const {
    name,
    visibilityTimeout = 30,
    messageRetentionPeriod = 345_600,
    delay = 0,
    redrive,
  } of ordered) {
    const deadLetters = redrive === undefined ? undefined : made.get(redrive.deadLetterQueue);
    if (redrive !== undefined && deadLetters === undefined) {
      throw new Error(
        `the queue ${name} has the dead-letter queue ${redrive.deadLetterQueue}, which does not exist`,
      );
    }
    const settings = {
      name,
      visibilityTimeoutMs: visibilityTimeout * 1000,
      retentionMs: messageRetentionPeriod * 1000,
      delayMs: delay * 1000,
      ...(redrive !== undefined &&
        deadLetters !== undefined && {
          redrive: { deadLetters, maxReceiveCount: redrive.maxReceiveCount },
        }),
    };
    made.set(name, new Queue(settings, clock));
  }
  return made;
}

function send(queue: Queue, body: Body): Body {
  const message = text(body, "MessageBody");
  if (Buffer.byteLength(message) > maxMessageBytes) {
    throw new AwsError(400, "InvalidParameterValue", `a message must have at most ${maxMessageBytes} bytes`);
  }
  const delay = integer(body, "DelaySeconds", 0, 900);
  const groupId = body.MessageGroupId === undefined ? undefined : text(body, "MessageGroupId");
  if (groupId !== undefined && !/^[\x21-\x7e]{1,128}$/.test(groupId)) {
    throw new AwsError(
      400,
      "InvalidParameterValue",
      "MessageGroupId must have 1 to 128 visible ASCII characters",
    );
  }
  const sent: QueuedMessage | undefined = queue.send(
    message,
    groupId,
    delay === undefined ? undefined : delay * 1000,
  );
  if (sent === undefined)
    throw new AwsError(503, "ServiceUnavailable", `the local queue holds ${Queue.maxMessages} messages`);
  return { MessageId: sent.id, MD5OfMessageBody: sent.md5 };
}

function changeVisibility(queue: Queue, body: Body): Body {
  const timeout = integer(body, "VisibilityTimeout", 0, 43_200);
  if (timeout === undefined) throw new AwsError(400, "MissingParameter", "VisibilityTimeout is missing");
  if (!queue.changeVisibility(text(body, "ReceiptHandle"), timeout * 1000)) {
    throw new AwsError(400, "MessageNotInflight", "the message is not in flight");
  }
  return {};
}

function receivedMessage({ receiptHandle, message }: ReceivedMessage, wanted: readonly string[]): Body {
  const attributes: Record<string, string> = {
    SenderId: localAccountId,
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    ...(message.groupId !== undefined && { MessageGroupId: message.groupId }),
    ...(message.failedIn !== undefined && {
      DeadLetterQueueSourceArn: queueArn(message.failedIn.settings.name),
    }),
  };
  const chosen = Object.entries(attributes).filter(
    ([name]) => wanted.includes("All") || wanted.includes(name),
  );
  return {
    MessageId: message.id,
    ReceiptHandle: receiptHandle,
    MD5OfBody: message.md5,
    Body: message.body,
    ...(chosen.length > 0 && { Attributes: Object.fromEntries(chosen) }),
  };
}

function queueAttributes(queue: Queue): Record<string, string> {
  const { settings } = queue;
  const { visible, inFlight, delayed } = queue.depth();
  return {
    QueueArn: queueArn(settings.name),
    VisibilityTimeout: String(settings.visibilityTimeoutMs / 1000),
    MessageRetentionPeriod: String(settings.retentionMs / 1000),
    DelaySeconds: String(settings.delayMs / 1000),
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    ...(settings.redrive !== undefined && {
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: queueArn(settings.redrive.deadLetters.settings.name),
        maxReceiveCount: settings.redrive.maxReceiveCount,
      }),
    }),
  };
}
