import { randomUUID } from "node:crypto";
import { cp, mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { localRegion, type Principal } from "../aws/types.ts";
import type { FunctionModel } from "../template.ts";
import { type FunctionLogs, functionLogs, type LogLine } from "./function-logs.ts";
import { type FunctionPool, functionPool } from "./function-pool.ts";
import type { FunctionAnswer } from "./invocation.ts";

export interface LambdaOptions {
  readonly functions: readonly FunctionModel[];
  /** The credentials for a function's processes. */
  readonly credentials: (
    functionName: string,
  ) => Pick<Principal, "accessKeyId" | "secretAccessKey" | "sessionToken">;
  /** URL of the front door. */
  readonly endpoint: string;
  /** Variables that the platform adds to each function's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** See ProcessSettings. */
  readonly clockOffsetMs?: () => number;
  readonly onLog?: (line: LogLine) => void;
}

/** Lambda: each function runs in its own processes. Functions are named by their construct id. */
export interface LambdaService {
  /** See FunctionPool.invoke. */
  invoke(
    functionName: string,
    event: unknown,
    options?: { signal?: AbortSignal; traceId?: string },
  ): Promise<FunctionAnswer>;
  /** The running processes, without their secrets. */
  processes(functionName: string): readonly { readonly pid: number; readonly accessKeyId: string }[];
  kill(functionName: string, signal?: NodeJS.Signals): void;
  logs(functionName: string): readonly string[];
  /** The objects in the function's logs that have the embedded metric format. */
  metrics(functionName: string): readonly Readonly<Record<string, unknown>>[];
  /** True: no function has an event that runs or waits. */
  isIdle(): boolean;
  /** Ends every process at once. */
  close(): Promise<void>;
}

export async function startLambda(options: LambdaOptions): Promise<LambdaService> {
  // A folder outside of the project: a bundle without one of its dependencies must not find the project's
  // node_modules.
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "linkspan-lambda-")));
  const closing = new AbortController();
  const parts = new Map<string, { pool: FunctionPool; logs: FunctionLogs; accessKeyId: string }>();
  try {
    const bootstrap = path.join(folder, "bootstrap.mjs");
    await bundleBootstrap(bootstrap);
    for (const model of options.functions) {
      const taskRoot = path.join(folder, model.name);
      await cp(model.codeFolder, taskRoot, { recursive: true });
      await mkdir(path.join(folder, "home"), { recursive: true });
      const logs = functionLogs(model.name, options.onLog ?? (() => {}));
      const settings = {
        ...model,
        bootstrap,
        taskRoot,
        environment: environmentOf(model, taskRoot, options),
        ...(options.clockOffsetMs === undefined ? {} : { clockOffsetMs: options.clockOffsetMs }),
        logs,
      };
      const { accessKeyId } = options.credentials(model.name);
      parts.set(model.name, { pool: functionPool(settings, closing.signal), logs, accessKeyId });
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }

  const part = (name: string) => {
    const found = parts.get(name);
    if (found === undefined)
      throw new Error(`there is no function ${name}; there are ${[...parts.keys()].join(", ")}`);
    return found;
  };
  return {
    invoke: (name, event, how) => part(name).pool.invoke(event, how),
    processes: (name) =>
      part(name)
        .pool.processes()
        .map(({ pid }) => ({ pid, accessKeyId: part(name).accessKeyId })),
    kill(name, signal) {
      for (const process of part(name).pool.processes()) process.kill(signal);
    },
    logs: (name) => part(name).logs.lines(),
    metrics: (name) => part(name).logs.metrics(),
    isIdle: () => [...parts.values()].every(({ pool }) => pool.isIdle()),
    async close() {
      closing.abort();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function bundleBootstrap(outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL("bootstrap.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    logLevel: "silent",
  });
}

/**
 * The variables that Lambda sets, and none of this process's own environment.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
function environmentOf(
  model: FunctionModel,
  taskRoot: string,
  { credentials, endpoint, environment }: LambdaOptions,
): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials(model.name);
  return {
    ...model.environment,
    ...environment,
    _HANDLER: model.handler,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
    AWS_DEFAULT_REGION: localRegion,
    AWS_REGION: localRegion,
    AWS_ENDPOINT_URL: endpoint,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: model.functionName,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(model.memoryMegabytes),
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: model.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: `${new Date().toISOString().slice(0, 10).replaceAll("-", "/")}/[$LATEST]${randomUUID().replaceAll("-", "")}`,
    LAMBDA_TASK_ROOT: taskRoot,
    LAMBDA_RUNTIME_DIR: "/var/runtime",
    LANG: "en_US.UTF-8",
    PATH: "/usr/local/bin:/usr/bin:/bin",
    TZ: ":UTC",
    // An empty folder: the SDK must not find the developer's own AWS profile.
    HOME: path.join(path.dirname(taskRoot), "home"),
  };
}
