import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { FunctionAnswer } from "../../local/lambda/invocation.ts";
import { type LambdaService, startLambda } from "../../local/lambda/lambda-service.ts";
import type { FunctionModel } from "../../local/template.ts";

export interface TestFunction {
  /** The text of its `index.mjs`. */
  readonly code: string;
  readonly timeoutSeconds?: number;
  readonly memoryMegabytes?: number;
  readonly environment?: Record<string, string>;
}

export interface TestLambda extends LambdaService {
  invokeJson(functionName: string, event?: unknown): Promise<unknown>;
}

/** Lambda with functions whose code a test gives; `close` removes them. */
export async function lambdaOf(functions: Readonly<Record<string, TestFunction>>): Promise<TestLambda> {
  const folder = mkdtempSync(path.join(tmpdir(), "linkspan-functions-"));
  const models: FunctionModel[] = Object.entries(functions).map(([name, test]) => {
    const codeFolder = path.join(folder, name);
    mkdirSync(codeFolder);
    writeFileSync(path.join(codeFolder, "index.mjs"), test.code);
    return {
      name,
      functionName: `test-${name}`,
      arn: `arn:aws:lambda:eu-west-1:000000000000:function:test-${name}`,
      codeFolder,
      handler: "index.handler",
      environment: test.environment ?? {},
      timeoutSeconds: test.timeoutSeconds ?? 20,
      memoryMegabytes: test.memoryMegabytes ?? 256,
      logGroup: `/aws/lambda/test-${name}`,
      statements: [],
    };
  });
  const lambda = await startLambda({
    functions: models,
    credentials: (name) => ({ accessKeyId: `ASIA${name}`, secretAccessKey: `secret of ${name}` }),
    endpoint: "http://127.0.0.1:1",
    environment: {},
  });
  return {
    ...lambda,
    async invokeJson(functionName, event = {}) {
      const answer = await lambda.invoke(functionName, event);
      if (answer.kind !== "buffered") throw new Error("the function streams");
      return JSON.parse(answer.payload.toString("utf8")) as unknown;
    },
    async close() {
      await lambda.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Reads all bytes of a streamed answer. */
export async function readStream(answer: FunctionAnswer): Promise<Buffer> {
  if (answer.kind !== "streamed") throw new Error("the function does not stream");
  const chunks: Buffer[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Checks a condition again and again until it holds, when no event announces it. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
