import { randomBytes, randomUUID } from "node:crypto";
import { type FunctionProcess, type ProcessSettings, startProcess } from "./function-process.ts";
import {
  discardAnswer,
  EventTooLarge,
  type FunctionAnswer,
  FunctionFailure,
  FunctionThrottled,
  type Invocation,
} from "./invocation.ts";

/** Takes the place of the account's concurrency limit; further callers wait. */
const maxProcesses = 10;
const maxQueued = 100;
/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html ("Invocation payload") */
const maxEventBytes = 6 * 1024 * 1024;

/** All processes of one function. */
export interface FunctionPool {
  /**
   * @throws {EventTooLarge} the event has more than 6 MB
   * @throws {FunctionThrottled} too many invocations are waiting
   * @throws {FunctionFailure} the function failed before it answered
   */
  invoke(event: unknown, options?: { signal?: AbortSignal; traceId?: string }): Promise<FunctionAnswer>;
  processes(): readonly FunctionProcess[];
  /** True: no event is running or waiting. */
  isIdle(): boolean;
}

/** @param signal ends all processes at once */
export function functionPool(settings: ProcessSettings, signal: AbortSignal): FunctionPool {
  const idle: FunctionProcess[] = [];
  const all = new Set<FunctionProcess>();
  let queue: Invocation[] = [];
  let starting = 0;

  function serve(): void {
    while (queue.length > 0) {
      // The process that worked last: its memory is warm, and the others stay idle.
      const process = idle.pop();
      if (process === undefined) break;
      process.give(queue.shift() as Invocation);
    }
    while (queue.length > starting && all.size + starting < maxProcesses && !signal.aborted) start();
  }

  function start(): void {
    starting += 1;
    begin()
      .then((process) => {
        all.add(process);
        idle.push(process);
      })
      .catch((error: unknown) => {
        // One caller gets the error; the next caller starts a process again.
        queue.shift()?.fail(error as Error);
      })
      .finally(() => {
        starting -= 1;
        serve();
      });
  }

  async function begin(): Promise<FunctionProcess> {
    const events = {
      idle(process: FunctionProcess) {
        if (!idle.includes(process)) idle.push(process);
        serve();
      },
      ended(process: FunctionProcess) {
        all.delete(process);
        const index = idle.indexOf(process);
        if (index >= 0) idle.splice(index, 1);
        serve();
      },
    };
    try {
      return await startProcess(settings, 10_000, events, signal);
    } catch (error) {
      if (!(error instanceof FunctionFailure) || error.errorType !== "Sandbox.Timedout") throw error;
      // The second attempt counts as part of the invocation:
      // https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
      return startProcess(settings, settings.timeoutSeconds * 1000, events, signal);
    }
  }

  return {
    async invoke(event, { signal: gone, traceId } = {}) {
      const payload = JSON.stringify(event);
      if (Buffer.byteLength(payload) > maxEventBytes)
        throw new EventTooLarge(
          `Request must be smaller than ${maxEventBytes} bytes for the InvokeFunction operation`,
        );
      if (signal.aborted) throw new FunctionFailure("Sandbox.Ended", "the platform is closing");
      if (queue.length >= maxQueued) throw new FunctionThrottled("Rate Exceeded.");
      const { promise, resolve, reject } = Promise.withResolvers<FunctionAnswer>();
      let left = false;
      const invocation: Invocation = {
        requestId: randomUUID(),
        payload,
        traceId: traceId ?? newTraceId(),
        answer(answer) {
          resolve(answer);
          if (left) void discardAnswer(answer);
        },
        fail: reject,
      };
      queue.push(invocation);
      // An aborted call leaves the queue. If its function already runs, it is not stopped, and its answer
      // is read and dropped.
      const leave = () => {
        left = true;
        queue = queue.filter((each) => each !== invocation);
        reject(gone?.reason as Error);
      };
      gone?.addEventListener("abort", leave, { once: true });
      serve();
      return promise.finally(() => gone?.removeEventListener("abort", leave));
    },
    processes: () => [...all],
    isIdle: () => queue.length === 0 && starting === 0 && idle.length === all.size,
  };
}

/** https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
export function newTraceId(): string {
  const time = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${time}-${randomBytes(12).toString("hex")}`;
}
