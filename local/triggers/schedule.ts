import { randomUUID } from "node:crypto";
import { localAccountId, localRegion } from "../aws/types.ts";
import type { Clock } from "../clock.ts";
import type { ScheduleModel } from "../template/trigger-model.ts";
import type { Invoke, InvokeResult } from "./invoke.ts";

export interface Schedule {
  /** Fires at once; resolves when the function has answered. */
  fire(): Promise<InvokeResult>;
  close(): void;
}

/**
 * EventBridge Scheduler: invokes the target at each full interval of real time. Our schedules have no
 * retries, so a failure is only logged.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html
 */
export function startSchedule(options: {
  readonly model: ScheduleModel;
  readonly clock: Clock;
  readonly invoke: Invoke;
  readonly log: (line: string) => void;
  /** False: only `fire()` fires it. */
  readonly byItself: boolean;
}): Schedule {
  const { model, clock, invoke, log, byItself } = options;
  const everyMs = model.everyMinutes * 60_000;
  let timer: NodeJS.Timeout | undefined;

  const fire = (): Promise<InvokeResult> => {
    const event =
      model.input === undefined ? scheduledEvent(model, clock) : (JSON.parse(model.input) as unknown);
    return invoke(model.functionName, event);
  };
  const next = (): void => {
    timer = setTimeout(
      () => {
        next();
        fire().then(
          (result) => {
            if (!result.ok) log(`schedule ${model.name}: ${model.functionName} failed`);
          },
          (error: unknown) =>
            log(`schedule ${model.name}: ${error instanceof Error ? error.message : String(error)}`),
        );
      },
      everyMs - (Date.now() % everyMs),
    );
    timer.unref();
  };
  if (model.enabled && byItself) next();
  return { fire, close: () => clearTimeout(timer) };
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html */
function scheduledEvent(model: ScheduleModel, clock: Clock): Record<string, unknown> {
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    account: localAccountId,
    time: new Date(clock.now()).toISOString().replace(/\.\d{3}Z$/, "Z"),
    region: localRegion,
    resources: [model.arn],
    detail: "{}",
  };
}
