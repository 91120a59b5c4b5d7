import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instanceTable } from "../../functions/aws/instances/table.ts";
import { sweepLock } from "../../functions/aws/sweep-lock.ts";
import { sweep } from "../../functions/core/grant/schedule/sweep.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import { CalmWorld, HOUR } from "./calm-world.ts";
import { openTable, TABLE } from "./open-instance-table.ts";

const LOCKS = "transients";
/** Instances of each deployment: enough that each shard of the largest number has some. */
const EACH = 42;

let opened: Awaited<ReturnType<typeof openTable>>;
let passedMs = 0;
let lastId = 0;

beforeAll(async () => {
  opened = await openTable();
  await opened.documents.send(
    new CreateTableCommand({
      TableName: LOCKS,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    }),
  );
});
afterAll(() => opened[Symbol.asyncDispose]());

/** Linkspan deployed with `shards` shards on the same tables: real due index and lock; the queue is a list. */
function deployment(shards: number) {
  const { documents: client, clock } = opened;
  const now = (): number => clock.now() + passedMs;
  const table = instanceTable({ client, tableName: TABLE, shards });
  return {
    table,
    now,
    /** Connects `EACH` instances that come due in an hour. */
    async connect(): Promise<void> {
      for (let count = 0; count < EACH; count++) {
        const instance = new CalmWorld().put({}, { id: ++lastId, dueAt: now() + HOUR });
        expect(await table.create(instance)).toBe(true);
      }
    },
    /** Runs a sweep and returns the ids that it queued. */
    async sweep(): Promise<number[]> {
      const queued: number[] = [];
      await sweep({
        due: table,
        rescue: { list: async () => ({ keys: [] }) },
        queue: {
          send: async (work) =>
            work.map((each) => each.kind === "refresh" && queued.push(each.instanceId) > 0),
        },
        lock: { ...sweepLock({ client, tableName: LOCKS, clock }), now },
        timing,
        shards,
        remainingMs: () => 60_000,
      });
      return queued.toSorted((one, other) => one - other);
    },
  };
}

test("changing the number of shards loses no grant, and queues none twice", async () => {
  for (const shards of [8, 13, 3, 1, 21, 5]) {
    const deployed = deployment(shards);
    expect(await deployed.sweep()).toEqual([]);
    await deployed.connect();
  }
  const all = Array.from({ length: lastId }, (_, index) => index + 1);
  const last = deployment(5);

  passedMs += 2 * HOUR;
  expect(await last.sweep()).toEqual(all);
  expect(await last.sweep()).toEqual([]);

  // The sweep's push has moved the items to the present shards.
  passedMs += timing.pushMs + 1_000;
  for (let shard = 0; shard < 21; shard++) {
    const { items } = await last.table.due(shard, last.now(), 1_000);
    expect(
      items.map(({ id }) => id % 5).filter((own) => own !== shard),
      `on shard ${shard}`,
    ).toEqual([]);
  }
  expect(await last.sweep()).toEqual(all);
});
