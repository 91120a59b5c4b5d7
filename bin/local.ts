import { announcement } from "../local/announce.ts";
import { startPlatform } from "../local/platform.ts";

const DEFAULT_PORT = 4000;

/** Closing takes a moment; should something hang, the process ends all the same. */
const LONGEST_CLOSE_MS = 5000;

/** `npm start`: the whole of Linkspan on this machine, from the synthesized stacks. */
async function main(): Promise<void> {
  const dataFolder = process.env.LINKSPAN_DATA ?? "";
  const starting = startPlatform({
    port: portOf(process.env.PORT),
    ...(dataFolder === "" ? {} : { dataFolder }),
    onLog: printTrouble,
  });
  let stopping = false;
  // Also while it starts, and as often as it comes: npm may pass on a signal that the terminal has sent us already.
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), LONGEST_CLOSE_MS).unref();
    starting.then((platform) => platform.close()).then(() => process.exit(0), fail);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  const platform = await starting;
  if (!stopping) console.log(announcement(platform));
}

/** What functions log is kept in memory; here only what went wrong is worth a line. */
function printTrouble(source: string, line: string): void {
  const isError = source === "platform" || source === "API Gateway" || line.includes("\tERROR\t");
  if (isError || process.env.DEBUG !== undefined) console.error(`${source}: ${line}`);
}

function portOf(text: string | undefined): number {
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`PORT must be a number from 0 to 65535, not ${text}`);
  return port;
}

/** One line for the one who typed the command; the stack is there for the asking. */
function fail(error: unknown): never {
  const problem = error as NodeJS.ErrnoException;
  const port = process.env.PORT ?? String(DEFAULT_PORT);
  console.error(
    problem.code === "EADDRINUSE"
      ? `Port ${port} is in use. Stop what uses it, or choose another: PORT=4001 npm start`
      : `Linkspan could not start: ${problem.message}`,
  );
  if (process.env.DEBUG !== undefined) console.error(problem.stack);
  process.exit(1);
}

main().catch(fail);
