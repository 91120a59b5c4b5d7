import type { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { beforeEach, expect, test } from "vitest";
import { workQueue } from "../../../functions/aws/work-queue.ts";
import type { WorkQueue } from "../../../functions/core/work-queue/work.ts";

/** SQS as the queue uses it: each batch takes one turn of the event loop. */
class FakeSqs {
  readonly batches: { Id?: string | undefined; MessageBody?: string | undefined }[][] = [];
  most = 0;
  #now = 0;
  /** Whether a batch fails, by its number. */
  fails: (batch: number) => boolean = () => false;
  refuses: (id: string) => boolean = () => false;

  readonly queue: WorkQueue = workQueue({
    queueUrl: "https://sqs.example/queue",
    client: { send: (command: SendMessageBatchCommand) => this.#send(command) } as unknown as SQSClient,
  });

  async #send({ input }: SendMessageBatchCommand) {
    const entries = input.Entries ?? [];
    const number = this.batches.push(entries) - 1;
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    await new Promise((resolve) => setImmediate(resolve));
    this.#now -= 1;
    if (this.fails(number)) throw new Error("the queue does not answer");
    return { Successful: entries.filter(({ Id = "" }) => !this.refuses(Id)).map(({ Id }) => ({ Id })) };
  }
}

const work = (count: number) =>
  Array.from({ length: count }, (_, instanceId) => ({
    kind: "refresh" as const,
    instanceId,
    cause: "schedule" as const,
    group: `group-${instanceId % 2}`,
  }));

let sqs: FakeSqs;
beforeEach(() => {
  sqs = new FakeSqs();
});

test("sends ten messages per batch and ten batches at a time, each message once and with its group", async () => {
  expect(await sqs.queue.send(work(155))).toEqual(Array(155).fill(true));
  expect(sqs.batches.map((batch) => batch.length)).toEqual([...Array(15).fill(10), 5]);
  expect(sqs.most).toBe(10);
  expect(sqs.batches.flat().map(({ MessageBody = "" }) => JSON.parse(MessageBody).instanceId)).toEqual(
    work(155).map(({ instanceId }) => instanceId),
  );
  expect(sqs.batches[0]?.[1]).toEqual({
    Id: "1",
    MessageBody: '{"kind":"refresh","instanceId":1,"cause":"schedule"}',
    MessageGroupId: "group-1",
  });
});

test("reports which messages SQS refused", async () => {
  sqs.refuses = (id) => id === "3";
  sqs.fails = (batch) => batch === 1;
  const sent = await sqs.queue.send(work(25));
  expect(sent.flatMap((each, index) => (each ? [] : index))).toEqual([
    3, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
  ]);
});

test("throws the reason when no message was accepted", async () => {
  sqs.fails = () => true;
  await expect(sqs.queue.send(work(25))).rejects.toThrow("the queue does not answer");
});

test("sends nothing to SQS when there are no messages", async () => {
  expect(await sqs.queue.send([])).toEqual([]);
  expect(sqs.batches).toEqual([]);
});
