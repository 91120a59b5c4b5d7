import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rescueList } from "../../functions/aws/rescue/list.ts";
import { writeObject } from "../../functions/aws/rescue/objects.ts";
import { sendMessages } from "../../functions/aws/send-messages.ts";
import { StoreRefused } from "../../functions/core/store-refused.ts";
import { type FrontDoor, startFrontDoor } from "../../local/aws/front-door.ts";
import { systemClock } from "../../local/clock.ts";

const BUCKET = "linkspan-rescue";
let folder: string;
let clock = systemClock();
let frontDoor: FrontDoor;
let s3: S3Client;
let sqs: SQSClient;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "linkspan-refusals-"));
  clock = systemClock();
  const credentials = { accessKeyId: "AKIAOPERATOR", secretAccessKey: "a" };
  frontDoor = await startFrontDoor({
    clock,
    dataFolder: folder,
    resources: {
      tables: [],
      queues: [{ name: "refresh" }],
      buckets: [{ name: BUCKET }],
      eventBuses: [],
      keys: [],
      stacks: [],
    },
    principals: [
      { name: "operator", ...credentials, statements: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
    ],
  });
  const settings = { endpoint: frontDoor.url, region: "eu-west-1", credentials, maxAttempts: 1 };
  s3 = new S3Client({ ...settings, forcePathStyle: true });
  sqs = new SQSClient(settings);
});

afterEach(async () => {
  s3.destroy();
  sqs.destroy();
  await frontDoor.close();
  await rm(folder, { recursive: true, force: true });
});

const failure = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error);

describe("a bucket", () => {
  test("refuses for good an object whose key is too long, and only for now when it is busy", async () => {
    const tooLong = await failure(writeObject(s3, BUCKET, `rescue/${"k".repeat(1_100)}`, "{}"));
    expect(tooLong).toMatchObject({ name: "StoreRefused", store: "bucket", tooLarge: true });
    frontDoor.fail({ service: "s3", status: 503 });
    const busy = await failure(writeObject(s3, BUCKET, "rescue/1/2", "{}"));
    expect(busy).toBeInstanceOf(Error);
    expect(busy).not.toBeInstanceOf(StoreRefused);
    frontDoor.removePermission("operator", "s3:PutObject");
    expect(await failure(writeObject(s3, BUCKET, "rescue/1/2", "{}"))).not.toBeInstanceOf(StoreRefused);
  });

  test("reports when each object was written, by the platform's clock", async () => {
    await writeObject(s3, BUCKET, "rescue/1/2", "{}");
    clock.advance(3_600_000);
    await writeObject(s3, BUCKET, "rescue/2/2", "{}");
    const { keys, writtenAt } = await rescueList({ bucket: BUCKET, client: s3 }).list();
    expect(keys).toEqual(["rescue/1/2", "rescue/2/2"]);
    const [first = 0, second = 0] = keys.map((key) => writtenAt?.get(key));
    expect(second - first).toBeGreaterThanOrEqual(3_600_000);
    expect(Math.abs(second - clock.now())).toBeLessThan(10_000);
  });
});

describe("a queue", () => {
  const send = (bytes: number) =>
    sendMessages(frontDoor.queueUrl("refresh"), [{ Id: "0", MessageBody: "x".repeat(bytes) }], sqs);

  test("refuses for good a message that is too large, and only for now when it is busy", async () => {
    expect(await send(1_000_000)).toEqual(["0"]);
    expect(await failure(send(1_100_000))).toMatchObject({ name: "StoreRefused", store: "queue" });
    frontDoor.fail({ service: "sqs", status: 503 });
    expect(await failure(send(10))).not.toBeInstanceOf(StoreRefused);
  });
});
