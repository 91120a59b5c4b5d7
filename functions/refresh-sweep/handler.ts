import type { Context } from "aws-lambda";
import { environment } from "../aws/environment.ts";
import { dueIndex } from "../aws/instances/indexes.ts";
import { sweepOutcome } from "../aws/outcome-metrics.ts";
import { rescueList } from "../aws/rescue/list.ts";
import { dynamoClient } from "../aws/store-time.ts";
import { sweepLock } from "../aws/sweep-lock.ts";
import { workQueue } from "../aws/work-queue.ts";
import { type SweepDeps, sweep } from "../core/grant/schedule/sweep.ts";
import { timing } from "../core/grant/timing.ts";

/** The sweep's dependencies. They give access to ids only: the function has no key and reads no grant. */
function makeDeps(): Omit<SweepDeps, "remainingMs"> {
  const { documents: client, clock } = dynamoClient();
  const shards = Number(environment("REFRESH_SHARDS"));
  return {
    due: dueIndex({ client, tableName: environment("INSTANCES_TABLE"), shards }),
    rescue: rescueList({ bucket: environment("RESCUE_BUCKET") }),
    queue: workQueue({ queueUrl: environment("REFRESH_QUEUE_URL") }),
    lock: sweepLock({ client, tableName: environment("TRANSIENTS_TABLE"), clock }),
    timing,
    shards,
  };
}

let deps: Omit<SweepDeps, "remainingMs"> | undefined;

/** Runs each minute, by the schedule. Enqueues what is due, and the records in the rescue bucket. */
export async function handler(_event: unknown, context: Context): Promise<void> {
  deps ??= makeDeps();
  const outcome = await sweep({ ...deps, remainingMs: () => context.getRemainingTimeInMillis() });
  if (outcome !== undefined) sweepOutcome(outcome);
}
