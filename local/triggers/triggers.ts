import type { FrontDoor } from "../aws/front-door.ts";
import type { Clock } from "../clock.ts";
import type { PlatformIdentities } from "../identities.ts";
import { FunctionFailure, FunctionThrottled } from "../lambda/invocation.ts";
import type { LambdaService } from "../lambda/lambda-service.ts";
import type { Template } from "../template.ts";
import { startEventSource } from "./event-source.ts";
import type { InvokeResult } from "./invoke.ts";
import { startPipe } from "./pipe.ts";
import { startSchedule } from "./schedule.ts";

export interface TriggerOptions {
  readonly template: Template;
  readonly frontDoor: FrontDoor;
  readonly lambda: LambdaService;
  readonly identities: PlatformIdentities;
  readonly clock: Clock;
  /** Folder of the log groups that do not belong to a function. */
  readonly logFolder: string;
  readonly log: (line: string) => void;
  /** True: schedules fire at their times; false: only `fireSchedule` fires them. */
  readonly schedulesFire: boolean;
}

/** All triggers: the queues and schedules that call functions, and the pipes. */
export interface Triggers {
  /** Fires the schedule now; resolves when its function has answered. */
  fireSchedule(): Promise<InvokeResult>;
  /**
   * Resolves when all work has ended: no function runs, no message is visible or in flight.
   * @throws {Error} the work has not ended within `timeoutMs`
   */
  settled(timeoutMs: number): Promise<void>;
  /** The log events that pipes have written since the start, oldest first. */
  logEvents(): readonly string[];
  close(): Promise<void>;
}

export function startTriggers({
  template,
  frontDoor,
  lambda,
  identities,
  clock,
  logFolder,
  log,
  schedulesFire,
}: TriggerOptions): Triggers {
  const invoke = (functionName: string, event: unknown) => invokeBuffered(lambda, functionName, event);
  const eventSources = template.eventSources.map((model) =>
    startEventSource({
      model,
      queueUrl: frontDoor.queueUrl(model.queueName),
      endpoint: frontDoor.url,
      region: frontDoor.region,
      credentials: identities.of(model.functionName),
      invoke,
      log,
    }),
  );
  const pipes = template.pipes.map((model) =>
    startPipe({ model, frontDoor, credentials: identities.of(model.name), logFolder, log }),
  );
  const schedules = template.schedules.map((model) =>
    startSchedule({ model, clock, invoke, log, byItself: schedulesFire }),
  );

  return {
    async fireSchedule() {
      const [schedule] = schedules;
      if (schedule === undefined) throw new Error("the stacks have no schedule");
      return schedule.fire();
    },
    async settled(timeoutMs) {
      const end = performance.now() + timeoutMs;
      for (;;) {
        const depths = await Promise.all(
          [...template.eventSources, ...template.pipes].map(({ queueName }) =>
            frontDoor.queueDepth(queueName),
          ),
        );
        const waiting = depths.reduce((sum, { visible, inFlight }) => sum + visible + inFlight, 0);
        const busy = !lambda.isIdle() || eventSources.some((source) => source.busy() > 0);
        if (waiting === 0 && !busy) return;
        if (performance.now() > end) {
          throw new Error(
            `not settled within ${timeoutMs} ms: ${waiting} messages, functions ${busy ? "busy" : "idle"}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    logEvents: () => pipes.flatMap((pipe) => pipe.written()),
    async close() {
      for (const schedule of schedules) schedule.close();
      await Promise.allSettled([...eventSources, ...pipes].map((each) => each.close()));
    },
  };
}

async function invokeBuffered(
  lambda: LambdaService,
  functionName: string,
  event: unknown,
): Promise<InvokeResult> {
  try {
    const answer = await lambda.invoke(functionName, event);
    if (answer.kind === "streamed") {
      await answer.body.return?.();
      throw new Error(`${functionName} streams, but a trigger needs a buffered answer`);
    }
    const text = answer.payload.toString("utf8");
    return { ok: true, payload: text === "" ? null : (JSON.parse(text) as unknown) };
  } catch (error) {
    if (error instanceof FunctionThrottled) return { ok: false, throttled: true, payload: null };
    if (error instanceof FunctionFailure) {
      return { ok: false, payload: { errorType: error.errorType, errorMessage: error.message } };
    }
    throw error;
  }
}
