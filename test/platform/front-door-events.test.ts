import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FrontDoor, startFrontDoor } from "../../local/aws/front-door.ts";
import { systemClock } from "../../local/clock.ts";

const busArn = "arn:aws:events:eu-west-1:000000000000:event-bus/linkspan-dev";

let folder: string;
let clock = systemClock();
let frontDoor: FrontDoor;
let worker: EventBridgeClient;
let operator: EventBridgeClient;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "linkspan-events-"));
  clock = systemClock();
  frontDoor = await startFrontDoor({
    clock,
    dataFolder: folder,
    resources: {
      tables: [],
      queues: [],
      buckets: [],
      keys: [],
      eventBuses: [{ name: "linkspan-dev" }],
      stacks: [],
    },
    principals: [
      {
        name: "RefreshWorker",
        accessKeyId: "AKIAWORKER",
        secretAccessKey: "a",
        statements: [{ Effect: "Allow", Action: "events:PutEvents", Resource: busArn }],
      },
      {
        name: "operator",
        accessKeyId: "AKIAOPERATOR",
        secretAccessKey: "b",
        statements: [{ Effect: "Allow", Action: "*", Resource: "*" }],
      },
    ],
  });
  const client = (accessKeyId: string, secretAccessKey: string) =>
    new EventBridgeClient({
      endpoint: frontDoor.url,
      region: "eu-west-1",
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
    });
  worker = client("AKIAWORKER", "a");
  operator = client("AKIAOPERATOR", "b");
});

afterEach(async () => {
  worker.destroy();
  operator.destroy();
  await frontDoor.close();
  await rm(folder, { recursive: true, force: true });
});

const entry = (changes: Partial<PutEventsRequestEntry> = {}): PutEventsRequestEntry => ({
  EventBusName: "linkspan-dev",
  Source: "linkspan",
  DetailType: "instance.created",
  Detail: '{"instanceId":42}',
  ...changes,
});
const put = (...Entries: PutEventsRequestEntry[]) => worker.send(new PutEventsCommand({ Entries }));

test("an event is kept, and written to a file, in the form that a rule's target would get", async () => {
  const { FailedEntryCount, Entries } = await put(entry({ Time: new Date("2026-11-24T09:30:00Z") }));
  const event = {
    version: "0",
    id: Entries?.[0]?.EventId,
    "detail-type": "instance.created",
    source: "linkspan",
    account: "000000000000",
    time: "2026-11-24T09:30:00Z",
    region: "eu-west-1",
    resources: [],
    detail: { instanceId: 42 },
  };
  expect(FailedEntryCount).toBe(0);
  expect(frontDoor.events()).toEqual([event]);
  expect(JSON.parse(await readFile(path.join(folder, "events.jsonl"), "utf8"))).toEqual(event);
  frontDoor.clearEvents();
  expect(frontDoor.events()).toEqual([]);
});

test("an event without a time gets the clock's time", async () => {
  clock.advance(86_400_000);
  await put(entry());
  expect(Math.abs(Date.parse(frontDoor.events()[0]?.time ?? "") - clock.now())).toBeLessThan(10_000);
});

test("only a wrong entry fails, and the answer is still 200", async () => {
  const answer = await operator.send(
    new PutEventsCommand({
      Entries: [
        entry({ Source: undefined }),
        entry({ Detail: "[1]" }),
        entry({ EventBusName: "other" }),
        entry(),
      ],
    }),
  );
  expect(answer.FailedEntryCount).toBe(3);
  expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
    "InvalidArgument",
    "MalformedDetail",
    "ResourceNotFoundException",
    undefined,
  ]);
  expect(frontDoor.events()).toHaveLength(1);
});

test("a request with too many entries, without entries, or with too many bytes is refused", async () => {
  const validation = { name: "ValidationException" };
  await expect(put(...Array.from({ length: 11 }, () => entry()))).rejects.toMatchObject(validation);
  await expect(put()).rejects.toMatchObject(validation);
  const half = entry({ Detail: JSON.stringify({ text: "x".repeat(130 * 1024) }) });
  await expect(put(half, half)).rejects.toMatchObject(validation);
  expect((await put(half)).FailedEntryCount).toBe(0);
  expect((await put(...Array.from({ length: 10 }, () => entry()))).FailedEntryCount).toBe(0);
});

test("the caller's policy is checked for each bus, by name and by ARN", async () => {
  await put(entry({ EventBusName: busArn }));
  for (const EventBusName of ["other", undefined]) {
    await expect(put(entry(), entry({ EventBusName }))).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringContaining("events:PutEvents"),
    });
  }
  expect(frontDoor.events()).toHaveLength(1);
});

test("a fault of a test takes effect before or after the call has acted", async () => {
  frontDoor.fail({ service: "events", action: "PutEvents", status: 500 });
  await expect(put(entry())).rejects.toMatchObject({ name: "InternalException" });
  frontDoor.fail({ service: "events", reset: "after" });
  await expect(put(entry())).rejects.toThrow(/ECONNRESET|socket hang up/);
  expect(frontDoor.events()).toHaveLength(1);
  expect(frontDoor.calls().map(({ status }) => status)).toEqual([500, 0]);
});

test("an unknown parameter is refused by name", async () => {
  await expect(put(entry({ TraceHeader: "Root=1" }))).rejects.toThrow("TraceHeader");
});
