import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FrontDoor, type Principal, startFrontDoor } from "../../local/aws/front-door.ts";
import { systemClock } from "../../local/clock.ts";
import type { EventSourceModel, ScheduleModel } from "../../local/template/trigger-model.ts";
import { startEventSource } from "../../local/triggers/event-source.ts";
import type { InvokeResult } from "../../local/triggers/invoke.ts";
import type { Poller } from "../../local/triggers/poll-queue.ts";
import { startSchedule } from "../../local/triggers/schedule.ts";
import { until } from "./functions.ts";

const queueArn = "arn:aws:sqs:eu-west-1:000000000000:refresh";
const worker: Principal = {
  name: "RefreshWorker",
  accessKeyId: "ASIAWORKER",
  secretAccessKey: "w",
  statements: [
    {
      Effect: "Allow",
      Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"],
      Resource: queueArn,
    },
  ],
};
const operator: Principal = {
  name: "operator",
  accessKeyId: "AKIAOPERATOR",
  secretAccessKey: "o",
  statements: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};

interface SqsEvent {
  readonly Records: readonly {
    readonly messageId: string;
    readonly body: string;
    readonly attributes: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  }[];
}

let folder: string;
let frontDoor: FrontDoor;
let source: Poller;
let clock = systemClock();
let events: SqsEvent[] = [];
let answer: (event: SqsEvent) => InvokeResult;
let log: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "linkspan-triggers-"));
  [clock, events, log] = [systemClock(), [], []];
  answer = () => ({ ok: true, payload: null });
  frontDoor = await startFrontDoor({
    clock,
    dataFolder: folder,
    resources: {
      tables: [],
      queues: [{ name: "refresh", visibilityTimeout: 600 }],
      buckets: [],
      eventBuses: [],
      keys: [],
      stacks: [],
    },
    principals: [worker, operator],
  });
});
afterEach(async () => {
  await source?.close();
  await frontDoor.close();
  await rm(folder, { recursive: true, force: true });
});

const model: EventSourceModel = {
  functionName: "RefreshWorker",
  queueName: "refresh",
  queueArn,
  batchSize: 10,
  reportsBatchItemFailures: true,
};

/** Sends the messages before the mapping polls, so that they come as one batch. */
async function handle(bodies: readonly string[], changes: Partial<EventSourceModel> = {}): Promise<void> {
  const sqs = new SQSClient({ endpoint: frontDoor.url, region: "eu-west-1", credentials: operator });
  const Entries = bodies.map((MessageBody, index) => ({ Id: `${index}`, MessageBody, MessageGroupId: "g" }));
  await sqs.send(new SendMessageBatchCommand({ QueueUrl: frontDoor.queueUrl("refresh"), Entries }));
  sqs.destroy();
  source = startEventSource({
    model: { ...model, maximumConcurrency: 1, ...changes },
    queueUrl: frontDoor.queueUrl("refresh"),
    endpoint: frontDoor.url,
    region: "eu-west-1",
    credentials: worker,
    invoke: async (name, event) => {
      expect(name).toBe("RefreshWorker");
      events.push(event as SqsEvent);
      return answer(event as SqsEvent);
    },
    log: (line) => log.push(line),
  });
}

const depth = () => frontDoor.queueDepth("refresh");
const bodiesOf = (event: SqsEvent | undefined) => event?.Records.map(({ body }) => body).sort();
const worked = (times: number) =>
  until(() => events.length >= times && source.busy() === 0, `${times} batches are worked on`);

describe("the event source mapping of a queue", () => {
  it("invokes the function with a batch and deletes the batch afterwards, under the function's role", async () => {
    await handle(["one", "two"]);
    await worked(1);
    expect(bodiesOf(events[0])).toEqual(["one", "two"]);
    expect(events[0]?.Records[0]).toMatchObject({
      eventSource: "aws:sqs",
      eventSourceARN: queueArn,
      awsRegion: "eu-west-1",
      receiptHandle: expect.any(String),
      attributes: { ApproximateReceiveCount: "1", MessageGroupId: "g" },
    });
    expect(await depth()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    expect(
      new Set(
        frontDoor
          .calls()
          .filter(({ principal }) => principal !== "operator")
          .map((call) => call.action),
      ),
    ).toEqual(new Set(["sqs:ReceiveMessage", "sqs:DeleteMessage"]));
  });

  it("keeps the messages that the function reports as failed, and delivers them again after the visibility timeout", async () => {
    answer = ({ Records }) => ({
      ok: true,
      payload: {
        batchItemFailures: Records.filter(({ body }) => body === "bad").map(({ messageId }) => ({
          itemIdentifier: messageId,
        })),
      },
    });
    await handle(["good", "bad", "good too"]);
    await worked(1);
    expect(await depth()).toMatchObject({ visible: 0, inFlight: 1 });
    answer = () => ({ ok: true, payload: { batchItemFailures: [] } });
    clock.advance(601_000);
    await worked(2);
    expect(bodiesOf(events[1])).toEqual(["bad"]);
    expect(events[1]?.Records[0]?.attributes.ApproximateReceiveCount).toBe("2");
    await until(async () => (await depth()).inFlight === 0, "the message is deleted");
  });

  it.each<[string, InvokeResult, Partial<EventSourceModel>]>([
    ["failed", { ok: false, payload: { errorType: "Error" } }, {}],
    [
      "names a message that is not of the batch",
      { ok: true, payload: { batchItemFailures: [{ itemIdentifier: "x" }] } },
      {},
    ],
    ["names an empty id", { ok: true, payload: { batchItemFailures: [{ itemIdentifier: "" }] } }, {}],
    ["does not answer a list", { ok: true, payload: { batchItemFailures: "x" } }, {}],
  ])("keeps the whole batch when the function %s", async (_, result, changes) => {
    answer = () => result;
    await handle(["one", "two"], changes);
    await worked(1);
    expect(await depth()).toMatchObject({ visible: 0, inFlight: 2 });
  });

  it("deletes the whole batch when failures are not reported by message, whatever the function returns", async () => {
    answer = ({ Records }) => ({
      ok: true,
      payload: { batchItemFailures: [{ itemIdentifier: Records[0]?.messageId }] },
    });
    await handle(["one"], { reportsBatchItemFailures: false });
    await worked(1);
    expect(await depth()).toMatchObject({ visible: 0, inFlight: 0 });
  });

  it("gives a batch back at once when the function is throttled", async () => {
    let first = true;
    answer = () => {
      const throttled = first;
      first = false;
      return throttled ? { ok: false, throttled: true, payload: null } : { ok: true, payload: null };
    };
    await handle(["one"]);
    await worked(1);
    clock.advance(2000);
    await worked(2);
    expect(bodiesOf(events[1])).toEqual(["one"]);
  });

  it("logs the reason when the function's role may not read the queue, and works when it may", async () => {
    frontDoor.removePermission("RefreshWorker", "sqs:ReceiveMessage");
    await handle(["one"]);
    await until(
      () => log.some((line) => /not authorized to perform: sqs:ReceiveMessage/.test(line)),
      "the refusal",
    );
    expect(events).toEqual([]);
    frontDoor.restorePermissions();
    await worked(1);
  });

  it("stops at once, also while it waits for messages", async () => {
    await handle(["one"]);
    await worked(1);
    const before = performance.now();
    await source.close();
    expect(performance.now() - before).toBeLessThan(1000);
  });
});

describe("a schedule", () => {
  const schedule: ScheduleModel = {
    name: "sweep",
    arn: "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/sweep",
    functionName: "RefreshSweep",
    everyMinutes: 1,
    enabled: true,
  };
  const started = (
    changes: Partial<ScheduleModel> = {},
    result: InvokeResult = { ok: true, payload: null },
  ) => {
    const calls: unknown[][] = [];
    const running = startSchedule({
      model: { ...schedule, ...changes },
      clock,
      invoke: async (...parameters) => {
        calls.push(parameters);
        return result;
      },
      log: (line) => log.push(line),
      byItself: true,
    });
    return { calls, running };
  };

  it("fires on demand, with the Scheduler's event and the platform's time", async () => {
    const { calls, running } = started();
    clock.advance(3_600_000);
    expect(await running.fire()).toEqual({ ok: true, payload: null });
    running.close();
    const [[name, event] = []] = calls as [string, Record<string, unknown>][];
    expect(name).toBe("RefreshSweep");
    expect(event).toMatchObject({ source: "aws.scheduler", resources: [schedule.arn], region: "eu-west-1" });
    expect(Math.abs(Date.parse(event?.time as string) - clock.now())).toBeLessThan(2000);
  });

  it("passes its own input to the function when it has one", async () => {
    const { calls, running } = started({ input: '{"shards":[1]}' });
    await running.fire();
    running.close();
    expect(calls).toEqual([["RefreshSweep", { shards: [1] }]]);
  });

  it("fires every minute, logs a failure, and stops when it is closed", async () => {
    vi.useFakeTimers();
    try {
      const { calls, running } = started({}, { ok: false, payload: null });
      await vi.advanceTimersByTimeAsync(3 * 60_000);
      expect(calls).toHaveLength(3);
      expect(log).toEqual(Array(3).fill("schedule sweep: RefreshSweep failed"));
      running.close();
      await vi.advanceTimersByTimeAsync(3 * 60_000);
      expect(calls).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });
});
