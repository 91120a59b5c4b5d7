import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListMessageMoveTasksCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FrontDoor, startFrontDoor } from "../../local/aws/front-door.ts";
import { systemClock } from "../../local/clock.ts";

const queueArn = "arn:aws:sqs:eu-west-1:000000000000:refresh";

let folder: string;
let clock = systemClock();
let frontDoor: FrontDoor;
let operator: SQSClient;
let sender: SQSClient;
let QueueUrl: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "linkspan-queues-"));
  clock = systemClock();
  frontDoor = await startFrontDoor({
    clock,
    dataFolder: folder,
    resources: {
      tables: [],
      queues: [
        {
          name: "refresh",
          visibilityTimeout: 1800,
          redrive: { deadLetterQueue: "dead", maxReceiveCount: 2 },
        },
        { name: "dead", messageRetentionPeriod: 1_209_600 },
      ],
      buckets: [],
      eventBuses: [],
      keys: [],
      stacks: [],
    },
    principals: [
      {
        name: "operator",
        accessKeyId: "AKIAOPERATOR",
        secretAccessKey: "a",
        statements: [{ Effect: "Allow", Action: "*", Resource: "*" }],
      },
      {
        name: "RefreshSweep",
        accessKeyId: "AKIASWEEP",
        secretAccessKey: "b",
        statements: [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: queueArn }],
      },
    ],
  });
  const client = (accessKeyId: string, secretAccessKey: string) =>
    new SQSClient({
      endpoint: frontDoor.url,
      region: "eu-west-1",
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
    });
  operator = client("AKIAOPERATOR", "a");
  sender = client("AKIASWEEP", "b");
  QueueUrl = frontDoor.queueUrl("refresh");
});

afterEach(async () => {
  operator.destroy();
  sender.destroy();
  await frontDoor.close();
  await rm(folder, { recursive: true, force: true });
});

const send = (MessageBody: string, MessageGroupId?: string) =>
  sender.send(new SendMessageCommand({ QueueUrl, MessageBody, ...(MessageGroupId && { MessageGroupId }) }));

const receive = async (options: { count?: number; wait?: number; queue?: string } = {}) =>
  (
    await operator.send(
      new ReceiveMessageCommand({
        QueueUrl: options.queue ?? QueueUrl,
        MaxNumberOfMessages: options.count ?? 10,
        WaitTimeSeconds: options.wait ?? 0,
        MessageSystemAttributeNames: ["All"],
      }),
    )
  ).Messages ?? [];

test("a message arrives with its group and the times of the clock, and is gone when deleted", async () => {
  clock.advance(3_600_000);
  await send('{"kind":"refresh"}', "group-1");
  const [message] = await receive();
  expect(message).toMatchObject({
    Body: '{"kind":"refresh"}',
    Attributes: { MessageGroupId: "group-1", ApproximateReceiveCount: "1" },
  });
  expect(Math.abs(Number(message?.Attributes?.SentTimestamp) - clock.now())).toBeLessThan(10_000);
  expect(await frontDoor.queueDepth("refresh")).toEqual({ visible: 0, inFlight: 1, delayed: 0 });
  await operator.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
  expect(await frontDoor.queueDepth("refresh")).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  clock.advance(3_600_000);
  expect(await receive()).toEqual([]);
});

test("a client without a configured endpoint uses the host of the queue's URL", async () => {
  const client = new SQSClient({
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIASWEEP", secretAccessKey: "b" },
    logger: {
      trace: () => {},
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: () => {},
    },
  });
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
  client.destroy();
  expect((await frontDoor.queueDepth("refresh")).visible).toBe(1);
});

test("an undeleted message is visible again when its visibility timeout ends, and not before", async () => {
  await send("again");
  expect(await receive()).toHaveLength(1);
  clock.advance(1_799_000);
  expect(await receive()).toHaveLength(0);
  clock.advance(1_000);
  const [message] = await receive();
  expect(message?.Attributes?.ApproximateReceiveCount).toBe("2");
});

test("a receiver can make a message visible at once, or hide it longer", async () => {
  await send("again");
  const [first] = await receive();
  const change = (ReceiptHandle: string | undefined, VisibilityTimeout: number) =>
    operator.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
  await change(first?.ReceiptHandle, 0);
  const [second] = await receive();
  expect(second?.MessageId).toBe(first?.MessageId);
  await change(second?.ReceiptHandle, 3600);
  clock.advance(1_800_000);
  expect(await receive()).toEqual([]);
  await expect(change(first?.ReceiptHandle, 0)).rejects.toMatchObject({ name: "MessageNotInflight" });
});

test("a message that is received too often goes to the dead-letter queue", async () => {
  await send("poison", "group-1");
  for (const _ of [1, 2]) {
    expect(await receive()).toHaveLength(1);
    clock.advance(1_800_000);
  }
  expect(await receive()).toEqual([]);
  expect(await frontDoor.queueDepth("refresh")).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  const [dead] = await receive({ queue: frontDoor.queueUrl("dead") });
  expect(dead).toMatchObject({ Body: "poison", Attributes: { MessageGroupId: "group-1" } });
});

const deadArn = "arn:aws:sqs:eu-west-1:000000000000:dead";
const redrive = (SourceArn: string, more: { DestinationArn?: string } = {}) =>
  operator.send(new StartMessageMoveTaskCommand({ SourceArn, ...more }));

async function deadLetter(body: string, group: string): Promise<string | undefined> {
  await send(body, group);
  for (const _ of [1, 2]) {
    await receive();
    clock.advance(1_800_000);
  }
  await receive();
  const [dead] = await receive({ queue: frontDoor.queueUrl("dead") });
  expect(dead?.Attributes).toMatchObject({ DeadLetterQueueSourceArn: queueArn });
  clock.advance(30_000);
  return dead?.MessageId;
}

test("a redrive moves dead letters back to the queue where they failed, as new messages, and counts them", async () => {
  const id = await deadLetter("poison", "group-1");
  clock.advance(86_400_000);
  expect((await redrive(deadArn)).TaskHandle).toMatch(/./);
  const { Results } = await operator.send(new ListMessageMoveTasksCommand({ SourceArn: deadArn }));
  expect(Results).toEqual([
    {
      Status: "COMPLETED",
      SourceArn: deadArn,
      ApproximateNumberOfMessagesMoved: 1,
      ApproximateNumberOfMessagesToMove: 1,
      StartedTimestamp: expect.any(Number),
    },
  ]);
  expect(await frontDoor.queueDepth("dead")).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  const [back] = await receive();
  expect(back).toMatchObject({
    Body: "poison",
    Attributes: { MessageGroupId: "group-1", ApproximateReceiveCount: "1" },
  });
  expect(back?.MessageId).not.toBe(id);
  expect(Math.abs(Number(back?.Attributes?.SentTimestamp) - clock.now())).toBeLessThan(10_000);
});

test("a redrive leaves messages that never failed in a queue and says so, and moves them to a queue that is named", async () => {
  await operator.send(new SendMessageCommand({ QueueUrl: frontDoor.queueUrl("dead"), MessageBody: "stray" }));
  await redrive(deadArn);
  const tasks = () => operator.send(new ListMessageMoveTasksCommand({ SourceArn: deadArn, MaxResults: 10 }));
  expect((await tasks()).Results).toMatchObject([{ Status: "FAILED", FailureReason: expect.any(String) }]);
  await redrive(deadArn, { DestinationArn: queueArn });
  expect((await receive()).map(({ Body }) => Body)).toEqual(["stray"]);
  expect((await tasks()).Results?.map(({ Status }) => Status)).toEqual(["COMPLETED", "FAILED"]);
});

test("a redrive needs a dead-letter queue, and the permissions to receive, delete and send", async () => {
  await expect(redrive(queueArn)).rejects.toMatchObject({ name: "InvalidParameterValue" });
  await expect(redrive(`${deadArn}-none`)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  await expect(redrive("dead")).rejects.toMatchObject({ name: "InvalidAddress" });
  const refused = sender.send(new StartMessageMoveTaskCommand({ SourceArn: deadArn }));
  await expect(refused).rejects.toThrow(/not authorized to perform: sqs:StartMessageMoveTask/);
});

test("waiting receivers get messages as soon as they are sent, one each", async () => {
  const waiting = [receive({ wait: 20 }), receive({ wait: 20 })];
  const before = performance.now();
  await send("first");
  await Promise.race(waiting);
  await send("second");
  const messages = (await Promise.all(waiting)).flat();
  expect(messages.map((message) => message.Body).sort()).toEqual(["first", "second"]);
  expect(performance.now() - before).toBeLessThan(5000);
});

test("a waiting receiver gets a message that becomes visible when the clock is moved", async () => {
  await send("again");
  await receive();
  const waiting = receive({ wait: 20 });
  clock.advance(1_800_000);
  expect(await waiting).toHaveLength(1);
});

test("closing ends a long poll at once", async () => {
  const waiting = [receive({ wait: 20 }), receive({ wait: 20 })];
  const outcomes = Promise.allSettled(waiting);
  // One of the two is answered, so the other one waits.
  await send("for one");
  await Promise.race(waiting);
  const before = performance.now();
  await frontDoor.close();
  expect((await outcomes).map((outcome) => outcome.status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(performance.now() - before).toBeLessThan(2000);
});

test("the answer to a batch names the entries that failed", async () => {
  const { Successful, Failed } = await sender.send(
    new SendMessageBatchCommand({
      QueueUrl,
      Entries: [
        { Id: "a", MessageBody: "fine", MessageGroupId: "group-1" },
        { Id: "b", MessageBody: "no group has blanks", MessageGroupId: "a b" },
      ],
    }),
  );
  expect(Successful?.map((entry) => entry.Id)).toEqual(["a"]);
  expect(Failed).toMatchObject([{ Id: "b", Code: "InvalidParameterValue", SenderFault: true }]);
  const messages = await receive();
  await operator.send(
    new DeleteMessageBatchCommand({
      QueueUrl,
      Entries: messages.map((message, index) => ({
        Id: String(index),
        ReceiptHandle: message.ReceiptHandle,
      })),
    }),
  );
  expect((await frontDoor.queueDepth("refresh")).inFlight).toBe(0);
});

test.each([
  ["EmptyBatchRequest", []],
  [
    "TooManyEntriesInBatchRequest",
    Array.from({ length: 11 }, (_, index) => ({ Id: String(index), MessageBody: "x" })),
  ],
  [
    "BatchEntryIdsNotDistinct",
    [
      { Id: "a", MessageBody: "x" },
      { Id: "a", MessageBody: "y" },
    ],
  ],
])("a batch is refused as a whole: %s", async (name, Entries) => {
  await expect(sender.send(new SendMessageBatchCommand({ QueueUrl, Entries }))).rejects.toMatchObject({
    name,
  });
  expect((await frontDoor.queueDepth("refresh")).visible).toBe(0);
});

test("a principal that may send may not receive", async () => {
  await expect(sender.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({
    message: expect.stringContaining(
      `RefreshSweep/local is not authorized to perform: sqs:ReceiveMessage on resource: ${queueArn} `,
    ),
    $metadata: { httpStatusCode: 403 },
  });
});

test("an unknown queue is an error", async () => {
  const missing = new SendMessageCommand({ QueueUrl: frontDoor.queueUrl("none"), MessageBody: "x" });
  await expect(operator.send(missing)).rejects.toMatchObject({ name: "QueueDoesNotExist" });
});

test("a message of a quiet group is received before those of a noisy group", async () => {
  for (let index = 0; index < 60; index++) await send(`noisy ${index}`, "noisy");
  for (const _ of [1, 2, 3]) await receive();
  await send("quiet", "quiet");
  const [message] = await receive({ count: 1 });
  expect(message?.Body).toBe("quiet");
});

test("the attributes and the URL of a queue can be read", async () => {
  const { Attributes } = await operator.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
  );
  expect(Attributes).toMatchObject({ QueueArn: queueArn, VisibilityTimeout: "1800" });
  expect(JSON.parse(Attributes?.RedrivePolicy ?? "{}")).toEqual({
    deadLetterTargetArn: "arn:aws:sqs:eu-west-1:000000000000:dead",
    maxReceiveCount: 2,
  });
  const found = await operator.send(new GetQueueUrlCommand({ QueueName: "refresh" }));
  expect(found.QueueUrl).toBe(QueueUrl);
});

test("messages older than the retention period are deleted", async () => {
  await send("old");
  clock.advance(345_600_000 + 1000);
  expect(await receive()).toEqual([]);
});
