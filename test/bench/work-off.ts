import { once } from "node:events";
import { startEventSource } from "../../local/triggers/event-source.ts";
import type { BenchWorld } from "./bench-world.ts";
import type { FunctionProcess } from "./function-process.ts";

/** How often to check whether the last message is deleted from the queue. */
const LOOK_MS = 5;

/**
 * Lets one worker process work through the queue as Lambda's event source would feed it: one batch of ten messages at a time,
 * each batch deleted when it is done.
 * @returns milliseconds from the first batch's arrival to the last one's end
 * @throws {Error} a message failed
 */
export async function workOff(world: BenchWorld, worker: FunctionProcess, messages: number): Promise<number> {
  const { frontDoor, identities } = world;
  const [model] = world.template.eventSources;
  if (model === undefined) throw new Error("the stacks have no event source");
  const timeoutMs = world.functionCalled(model.functionName).timeoutSeconds * 1000;
  const failed: string[] = [];
  const done = new EventTarget();
  const allDone = once(done, "all");
  let [settled, startedAt, endedAt] = [0, 0, 0];

  const source = startEventSource({
    model: { ...model, maximumConcurrency: 1 },
    queueUrl: frontDoor.queueUrl(model.queueName),
    endpoint: frontDoor.url,
    region: frontDoor.region,
    credentials: identities.of(model.functionName),
    log: (line) => failed.push(line),
    async invoke(_name, event) {
      const { Records } = event as { Records: { messageId: string; body: string }[] };
      startedAt ||= performance.now();
      const payload = await worker.ask("work", { timeoutMs, records: Records });
      failed.push(...payload.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      settled += Records.length;
      endedAt = performance.now();
      if (settled >= messages || failed.length > 0) done.dispatchEvent(new Event("all"));
      return { ok: true, payload };
    },
  });
  try {
    await allDone;
    if (failed.length > 0) throw new Error(`the worker did not settle ${failed.join(", ")}`);
    for (;;) {
      const { visible, inFlight, delayed } = await frontDoor.queueDepth(model.queueName);
      if (visible + inFlight + delayed === 0) return endedAt - startedAt;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } finally {
    await source.close();
  }
}
