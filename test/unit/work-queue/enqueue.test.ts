import { beforeEach, describe, expect, test } from "vitest";
import { enqueuers, enqueueSuspension } from "../../../functions/core/work-queue/enqueue.ts";
import type { QueuedWork, WorkQueue } from "../../../functions/core/work-queue/work.ts";

let sent: QueuedWork[];
let takes: boolean;
const queue: WorkQueue = {
  send: async (work) => {
    sent.push(...work);
    return work.map(() => takes);
  },
};
beforeEach(() => {
  sent = [];
  takes = true;
});

const enqueueRefresh = enqueuers(() => queue);
const instance = { id: 42, version: 3, refreshGroup: "client" };
const pending = { instanceId: 42, sessionId: "cs_1", epoch: "000000000000002-state", refreshGroup: "client" };
const suspension = { organizationId: "org", userId: "ann" };

const ways: Record<string, readonly [() => Promise<void>, QueuedWork]> = {
  "a refresh": [
    () => enqueueRefresh.enqueueRefresh(instance, "forced"),
    { kind: "refresh", instanceId: 42, cause: "forced", version: 3, group: "client" },
  ],
  "a deletion": [
    () => enqueueRefresh.enqueueDeletion(instance),
    { kind: "delete", instanceId: 42, version: 3, group: "client" },
  ],
  "a pending sign-in": [
    () => enqueueRefresh.enqueuePending(pending),
    {
      kind: "pending",
      instanceId: 42,
      sessionId: "cs_1",
      epoch: "000000000000002-state",
      group: "client",
    },
  ],
  "a suspension": [
    () => enqueueSuspension(queue, suspension),
    { kind: "suspension", ...suspension, group: "suspension" },
  ],
};

describe.each(Object.entries(ways))("%s", (_, [enqueue, work]) => {
  test("is queued with its own kind and group", async () => {
    await enqueue();
    expect(sent).toEqual([work]);
  });

  test("fails when the queue refuses it", async () => {
    takes = false;
    await expect(enqueue()).rejects.toThrow("the work queue did not take a message");
  });
});

test("a suspension is queued once for each delay", async () => {
  await enqueueSuspension(queue, suspension, [0, 180]);
  expect(sent.map(({ delaySeconds }) => delaySeconds)).toEqual([undefined, 180]);
});

test("a queue that cannot be created rejects the caller's promise; the call itself does not throw", async () => {
  const broken = enqueuers(() => {
    throw new Error("no queue");
  });
  const promises = [
    broken.enqueueRefresh(instance, "forced"),
    broken.enqueueDeletion(instance),
    broken.enqueuePending(pending),
  ];
  for (const promise of promises) await expect(promise).rejects.toThrow("no queue");
});
