import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { endServer, listen } from "../local/listen.ts";
import { couldNotStart, portOf } from "./port.ts";

/**
 * `npm start`: synthesizes the stacks, and runs them (local.ts). Looks first whether the port is free: nobody should wait a
 * quarter of a minute to hear that it is not.
 */
async function main(): Promise<void> {
  const { server } = await listen(portOf(process.env.PORT));
  await endServer(server);
  await synthesize();
  await import("./local.ts");
}

/** @throws {Error} the stacks cannot be synthesized; why, the CDK has said */
async function synthesize(): Promise<void> {
  const cdk = spawn("npm", ["run", "--silent", "synth"], {
    stdio: ["ignore", "inherit", "pipe"],
    shell: process.platform === "win32",
  });
  for await (const line of createInterface({ input: cdk.stderr })) {
    // An advice that `cdk synth --quiet` gives all the same, and that leads nowhere here.
    if (!line.startsWith("Supply a stack id")) console.error(line);
  }
  const [code] = cdk.exitCode === null ? await once(cdk, "exit") : [cdk.exitCode];
  if (code !== 0) throw new Error("the stacks cannot be synthesized");
}

main().catch(couldNotStart);
