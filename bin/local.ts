import { announcement } from "../local/announce.ts";
import { startPlatform } from "../local/platform.ts";
import { couldNotStart, portOf } from "./port.ts";

/** Closing takes a moment; should something hang, the process ends all the same. */
const LONGEST_CLOSE_MS = 5000;

/** The whole of Linkspan on this machine, from the stacks as they were synthesized last (start.ts). */
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
    starting.then((platform) => platform.close()).then(() => process.exit(0), couldNotStart);
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

main().catch(couldNotStart);
