import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { refuseLocked } from "../local/folder-lock.ts";
import { endServer, listen } from "../local/listen.ts";
import { couldNotStart, dataFolderOf, portOf } from "./start-settings.ts";

/**
 * `npm start`: synthesizes the stacks, and runs them (local.ts). First checks that the port and the data folder
 * are free, because the synthesis takes a quarter of a minute.
 */
async function main(): Promise<void> {
  refuseLocked(dataFolderOf(process.env.LINKSPAN_DATA));
  const { server } = await listen(portOf(process.env.PORT));
  await endServer(server);
  await synthesize();
  await import("./local.ts");
}

/** @throws {Error} the stacks cannot be synthesized; the CDK has printed the reason */
async function synthesize(): Promise<void> {
  const cdk = spawn("npm", ["run", "--silent", "synth"], {
    stdio: ["ignore", "inherit", "pipe"],
    shell: process.platform === "win32",
  });
  for await (const line of createInterface({ input: cdk.stderr })) {
    // Leaves out a hint that `cdk synth --quiet` prints nevertheless, and that does not apply here.
    if (!line.startsWith("Supply a stack id")) console.error(line);
  }
  const [code] = cdk.exitCode === null ? await once(cdk, "exit") : [cdk.exitCode];
  if (code !== 0) throw new Error("the stacks cannot be synthesized");
}

main().catch(couldNotStart);
