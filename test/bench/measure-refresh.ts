import type { AwsCall } from "../../local/aws/types.ts";
import { type BenchWorld, startWorld } from "./bench-world.ts";
import { checkRefreshed } from "./check-refreshed.ts";
import type { Use } from "./refresh-functions.ts";
import { newIds, type Seeded, seedInstances } from "./seed-instances.ts";
import { workOff } from "./work-off.ts";

const READS = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:Scan"];
const WRITES = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"];
/** The front door remembers no more calls than this. */
const MOST_CALLS = 10_000;

/** Number of calls to AWS, by kind. */
export interface Calls {
  readonly reads: number;
  readonly writes: number;
  readonly queue: number;
  readonly kms: number;
  readonly s3: number;
}

export interface Scenario {
  readonly instances: number;
  readonly due: number;
  /** One sweep with nothing due, in a new process. */
  readonly idleSweep: Calls & Measured;
  /** One sweep with all `due` instances due: totals. */
  readonly sweep: Calls & Measured;
  /** Average for each refresh of one worker process that started cold. */
  readonly refresh: Calls & Omit<Measured, "ms" | "items"> & { readonly perSecond: number };
  /** What is wrong with instances that were not refreshed correctly; see checkRefreshed. */
  readonly wrong: readonly string[];
}

interface Measured extends Use {
  readonly ms: number;
}

export interface Plan {
  readonly organizations: number;
  /** In ascending order of size, because the table grows from one scenario to the next. */
  readonly scenarios: readonly { readonly instances: number; readonly due: number }[];
  readonly progress?: (line: string) => void;
  /** Called with each scenario when it is measured, because a later scenario may fail. */
  readonly measured?: (scenario: Scenario) => void;
}

/**
 * Runs each scenario: the table grows to its size, `due` instances come due, one sweep queues them and one worker refreshes
 * them. Calls are counted at the front door, which every AWS call passes; capacity units are those that the table reports;
 * times are measured in the function's own process.
 * @throws {Error} a sweep did not find exactly the due instances, or the worker failed
 */
export async function measureRefresh(plan: Plan): Promise<Scenario[]> {
  await using world = await startWorld(plan.organizations);
  const ids: number[] = [];
  const measured: Scenario[] = [];
  let before: readonly Seeded[] = [];
  for (const { instances, due } of plan.scenarios) {
    plan.progress?.(`${instances} instances, ${due} due`);
    const more = newIds(instances - ids.length);
    await seedInstances(world, more, 0);
    ids.push(...more);
    const { seeded, ...scenario } = await measure(world, ids, due, before);
    measured.push(scenario);
    plan.measured?.(scenario);
    before = seeded;
  }
  return measured;
}

/** @param before the instances that the scenario before this one refreshed */
async function measure(
  world: BenchWorld,
  ids: readonly number[],
  due: number,
  before: readonly Seeded[],
): Promise<Scenario & { readonly seeded: readonly Seeded[] }> {
  const { timeoutSeconds } = world.functionCalled("RefreshSweep");
  await using sweeper = await world.start("RefreshSweep");
  const sweepOnce = async (wanted: number): Promise<Calls & Measured> => {
    await sweeper.ask("use", {});
    world.frontDoor.clearCalls();
    const { outcome, ms } = await sweeper.ask("sweep", { timeoutMs: timeoutSeconds * 1000 });
    if (outcome?.due !== wanted || outcome.queued !== wanted)
      throw new Error(
        [
          `of ${wanted} due instances a sweep queued ${outcome?.queued ?? "none: it was locked"}`,
          ...(await checkRefreshed(world, before)),
        ].join("\n"),
      );
    return { ...counted(world, "RefreshSweep"), ...(await sweeper.ask("use", {})), ms };
  };

  const idleSweep = await sweepOnce(0);
  const seeded = await seedInstances(world, sample(ids, due), 0.9);
  const sweep = await sweepOnce(due);
  const refresh = await refreshAll(world, seeded);
  const wrong = await checkRefreshed(world, seeded);
  return { instances: ids.length, due, idleSweep, sweep, refresh, wrong, seeded };
}

async function refreshAll(world: BenchWorld, seeded: readonly Seeded[]): Promise<Scenario["refresh"]> {
  await using worker = await world.start("RefreshWorker");
  await worker.ask("use", {});
  world.frontDoor.clearCalls();
  const ms = await workOff(world, worker, seeded.length);
  const { cpuMs, readUnits, writeUnits } = await worker.ask("use", {});
  const each = (total: number): number => total / seeded.length;
  const { reads, writes, queue, kms, s3 } = counted(world, "RefreshWorker");
  return {
    reads: each(reads),
    writes: each(writes),
    queue: each(queue),
    kms: each(kms),
    s3: each(s3),
    readUnits: each(readUnits),
    writeUnits: each(writeUnits),
    cpuMs: each(cpuMs),
    perSecond: (seeded.length / ms) * 1000,
  };
}

function counted(world: BenchWorld, principal: string): Calls {
  const calls = world.frontDoor.calls();
  if (calls.length >= MOST_CALLS) throw new Error("more calls than the front door remembers");
  const count = (of: (call: AwsCall) => boolean): number =>
    calls.filter((call) => call.principal === principal && of(call)).length;
  return {
    reads: count(({ action }) => READS.includes(action)),
    writes: count(({ action }) => WRITES.includes(action)),
    queue: count(({ service }) => service === "sqs"),
    kms: count(({ service }) => service === "kms"),
    s3: count(({ service }) => service === "s3"),
  };
}

/** A sample of `count` ids, spread evenly over all. */
function sample(ids: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, index) => ids[Math.floor((index * ids.length) / count)] as number);
}
