import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import { store, workerDeps } from "../../functions/aws/composition.ts";
import { environment } from "../../functions/aws/environment.ts";
import { dueIndex } from "../../functions/aws/instances/indexes.ts";
import { rescueList } from "../../functions/aws/rescue/list.ts";
import { sweepLock } from "../../functions/aws/sweep-lock.ts";
import { workQueue } from "../../functions/aws/work-queue.ts";
import { type SweepOutcome, sweep } from "../../functions/core/grant/schedule/sweep.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import { workOn } from "../../functions/worker/work-on.ts";
import { type Metered, meter } from "./meter.ts";

/**
 * The sweep's and the worker's code in a process of its own, as Lambda runs it: with only the function's environment and
 * credentials. It is made of the same parts as the two handlers, because the handlers answer Lambda and return no figures.
 */

/** The orders that the process takes, with their parameters. */
export interface Orders {
  readonly sweep: { readonly timeoutMs: number };
  readonly work: {
    readonly timeoutMs: number;
    readonly records: readonly Pick<SQSRecord, "messageId" | "body">[];
  };
  readonly use: Readonly<Record<string, never>>;
}

export type Order = {
  [K in keyof Orders]: { readonly id: number; readonly what: K; readonly given: Orders[K] };
}[keyof Orders];

/** Resources that the process used since the last order `use`. */
export interface Use extends Metered {
  /** Processor time, user and system, in milliseconds. */
  readonly cpuMs: number;
}

export interface Answers {
  readonly sweep: { readonly outcome: SweepOutcome | undefined; readonly ms: number };
  readonly work: SQSBatchResponse;
  readonly use: Use;
}

const meters = meter(store().documents);
let cpu = process.cpuUsage();

async function obey(order: Order): Promise<Answers[keyof Answers]> {
  const start = performance.now();
  switch (order.what) {
    case "sweep": {
      const { documents: client, clock } = store();
      const shards = Number(environment("REFRESH_SHARDS"));
      const outcome = await sweep({
        due: dueIndex({ client, tableName: environment("INSTANCES_TABLE"), shards }),
        rescue: rescueList({ bucket: environment("RESCUE_BUCKET") }),
        queue: workQueue({ queueUrl: environment("REFRESH_QUEUE_URL") }),
        lock: sweepLock({ client, tableName: environment("TRANSIENTS_TABLE"), clock }),
        timing,
        shards,
        remainingMs: () => order.given.timeoutMs - (performance.now() - start),
      });
      return { outcome, ms: performance.now() - start };
    }
    case "work":
      return await workOn(
        workerDeps(),
        order.given.records,
        () => order.given.timeoutMs - (performance.now() - start),
      );
    case "use": {
      const { user, system } = process.cpuUsage(cpu);
      cpu = process.cpuUsage();
      return { ...meters.take(), cpuMs: (user + system) / 1000 };
    }
  }
}

process.on("message", async (order: Order) => {
  try {
    process.send?.({ id: order.id, answer: await obey(order) });
  } catch (error) {
    process.send?.({ id: order.id, error: String(error instanceof Error ? error.stack : error) });
  }
});
// The process that started this one has ended, so this one ends too.
process.on("disconnect", () => process.exit());
process.send?.("ready");
