import { type ChildProcess, spawn } from "node:child_process";
import type { FunctionLogs } from "./function-logs.ts";
import { FunctionFailure, type Invocation } from "./invocation.ts";
import { startRuntimeApi } from "./runtime-api.ts";

export interface ProcessSettings {
  /** For messages. */
  readonly name: string;
  readonly arn: string;
  readonly bootstrap: string;
  readonly taskRoot: string;
  readonly memoryMegabytes: number;
  readonly timeoutSeconds: number;
  /** The whole environment of the process; it inherits nothing. */
  readonly environment: Readonly<Record<string, string>>;
  /** Error of the next process's wall clock, in milliseconds. */
  readonly clockOffsetMs?: () => number;
  readonly logs: FunctionLogs;
}

export interface ProcessEvents {
  /**
   * The process can take an event: after its start, and after it has ended all work of the event before.
   */
  idle(process: FunctionProcess): void;
  /** The process has ended. */
  ended(process: FunctionProcess): void;
}

/** One execution environment of a function: one process, one event at a time. */
export interface FunctionProcess {
  readonly pid: number;
  give(invocation: Invocation): void;
  kill(signal?: NodeJS.Signals): void;
}

/**
 * Starts a process and waits until it asks for its first event.
 * @param initTimeoutMs 10 s at the first attempt,
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 * @throws {FunctionFailure} the module failed to load, the process ended, or it took too long
 */
export async function startProcess(
  settings: ProcessSettings,
  initTimeoutMs: number,
  events: ProcessEvents,
  signal: AbortSignal,
): Promise<FunctionProcess> {
  const ready = Promise.withResolvers<void>();
  let current: { invocation: Invocation; timer: NodeJS.Timeout } | undefined;
  let initFailure: FunctionFailure | undefined;
  let started = false;

  const api = await startRuntimeApi({
    idle() {
      clearTimeout(current?.timer);
      // Has an effect only if the function has not answered.
      current?.invocation.fail(new FunctionFailure("Runtime.NoResponse", "the function gave no answer"));
      current = undefined;
      if (started) return events.idle(handle);
      started = true;
      ready.resolve();
    },
    initFailed(failure) {
      initFailure = failure;
    },
  });
  if (signal.aborted) api.close();
  signal.throwIfAborted();

  // The heap gets 90 % of the memory, about as in Lambda's own runtime; memory outside the heap has no
  // limit here.
  const heap = Math.floor(settings.memoryMegabytes * 0.9);
  const child: ChildProcess = spawn(process.execPath, [`--max-old-space-size=${heap}`, settings.bootstrap], {
    cwd: settings.taskRoot,
    env: {
      ...settings.environment,
      AWS_LAMBDA_RUNTIME_API: api.address,
      ...(settings.clockOffsetMs === undefined
        ? {}
        : { LOCAL_CLOCK_OFFSET_MS: String(settings.clockOffsetMs()) }),
    },
    // The child's standard input ends when this process ends, for whatever reason; the bootstrap watches
    // it.
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => {});
  for (const stream of [child.stdout, child.stderr]) captureLines(stream, settings.logs);

  const handle: FunctionProcess = {
    pid: child.pid ?? 0,
    give(invocation) {
      const deadlineMs = Date.now() + settings.timeoutSeconds * 1000;
      const timer = setTimeout(() => {
        const seconds = settings.timeoutSeconds.toFixed(2);
        const message = `${new Date().toISOString()} ${invocation.requestId} Task timed out after ${seconds} seconds`;
        settings.logs.write(message);
        // https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
        invocation.fail(new FunctionFailure("Sandbox.Timedout", message));
        child.kill("SIGKILL");
      }, settings.timeoutSeconds * 1000);
      current = { invocation, timer };
      try {
        api.give(invocation, settings.arn, deadlineMs);
      } catch (error) {
        // The process no longer waits for an event, and its state is unknown.
        invocation.fail(new FunctionFailure("Runtime.ExitError", (error as Error).message));
        child.kill("SIGKILL");
      }
    },
    kill: (how = "SIGKILL") => void child.kill(how),
  };

  child.once("error", (error) => ready.reject(new FunctionFailure("Runtime.ExitError", error.message)));
  child.once("exit", (code, how) => {
    const end = code === null ? `signal: ${how}` : `exit status ${code}`;
    const failure = new FunctionFailure("Runtime.ExitError", `Error: Runtime exited with error: ${end}`);
    clearTimeout(current?.timer);
    current?.invocation.fail(failure);
    current = undefined;
    api.close();
    ready.reject(initFailure ?? failure);
    if (started) events.ended(handle);
  });

  const stop = () => child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(() => {
    initFailure = new FunctionFailure(
      "Sandbox.Timedout",
      `${settings.name} did not start within ${initTimeoutMs} ms`,
    );
    child.kill("SIGKILL");
  }, initTimeoutMs);
  try {
    await ready.promise;
  } finally {
    clearTimeout(timer);
  }
  child.once("exit", () => signal.removeEventListener("abort", stop));
  return handle;
}

/** Logs whole lines only: a line may arrive in several pieces. */
function captureLines(stream: ChildProcess["stdout"], logs: FunctionLogs): void {
  let rest = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (chunk: string) => {
    const end = chunk.lastIndexOf("\n") + 1;
    if (end === 0) rest += chunk;
    else {
      logs.write(rest + chunk.slice(0, end));
      rest = chunk.slice(end);
    }
    // Drops the text: without this limit a line without an end would grow forever.
    if (rest.length > 1024 * 1024) rest = "";
  });
  stream?.on("end", () => logs.write(rest));
}
