import { announcement } from "../local/announce.ts";
import { startPlatform } from "../local/platform.ts";
import { couldNotStart, dataFolderOf, portOf } from "./start-settings.ts";

/** Time limit for closing. After this time, the process ends even if closing hangs. */
const LONGEST_CLOSE_MS = 5000;

/** Runs all of Linkspan on this machine, from the stacks as they were last synthesized (start.ts). */
async function main(): Promise<void> {
  const starting = startPlatform({
    port: portOf(process.env.PORT),
    dataFolder: dataFolderOf(process.env.LINKSPAN_DATA),
    onLog: printTrouble,
  });
  let stopping = false;
  // Handles signals during the start, too, and repeated signals: npm may pass on a signal that the terminal
  // has already sent.
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

/** Prints only errors, unless DEBUG is set; the functions' logs are kept in memory. */
function printTrouble(source: string, line: string): void {
  const isError = source === "platform" || source === "API Gateway" || line.includes("\tERROR\t");
  if (isError || process.env.DEBUG !== undefined) console.error(`${source}: ${line}`);
}

main().catch(couldNotStart);
