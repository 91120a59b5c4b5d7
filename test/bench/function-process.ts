import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FunctionModel } from "../../local/template.ts";
import type { Answers, Orders } from "./refresh-functions.ts";

const PROGRAM = fileURLToPath(new URL("refresh-functions.ts", import.meta.url));

/** A process with the code of one function, under the function's environment and credentials. */
export interface FunctionProcess extends AsyncDisposable {
  /** @throws {Error} the error that the process threw, or a message that the process ended */
  ask<K extends keyof Orders>(what: K, given: Orders[K]): Promise<Answers[K]>;
}

export async function startFunction(
  model: Pick<FunctionModel, "name" | "environment">,
  environment: Readonly<Record<string, string>>,
): Promise<FunctionProcess> {
  const child: ChildProcess = fork(PROGRAM, {
    // The function's metrics go nowhere; its errors are shown.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: [],
    env: { ...model.environment, ...environment },
  });
  const pending = new Map<number, PromiseWithResolvers<never>>();
  let lastId = 0;
  child.on("message", (message: { id: number; answer?: never; error?: string }) => {
    const asked = pending.get(message.id);
    pending.delete(message.id);
    if (message.error === undefined) asked?.resolve(message.answer as never);
    else asked?.reject(new Error(`${model.name}: ${message.error}`));
  });
  const ended = once(child, "exit");
  void ended.then(([code, signal]) => {
    for (const { reject } of pending.values()) reject(new Error(`${model.name} ended (${code ?? signal})`));
  });
  const [first] = await Promise.race([once(child, "message"), ended]);
  if (first !== "ready") throw new Error(`${model.name} did not start (${String(first)})`);

  return {
    ask(what, given) {
      const id = ++lastId;
      const asked = Promise.withResolvers<never>();
      pending.set(id, asked);
      child.send({ id, what, given });
      return asked.promise;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
