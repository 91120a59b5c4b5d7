import { randomBytes } from "node:crypto";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createVitest } from "vitest/node";
import { dataFolderOf, portOf } from "../../../bin/start-settings.ts";
import { documentsConnectors } from "../../../functions/core/documents/vendors/index.ts";
import { startPlatform } from "../../../local/platform.ts";
import { App, type CreatedInstance } from "../../e2e/app.ts";
import { traitsOf } from "../vendors/traits-of.ts";
import { PatientHub } from "./patient-hub.ts";
import { type Findings, findingsReporter } from "./report.ts";
import { callbacksOf, signIn } from "./sign-in.ts";
import type { Verification } from "./verification.ts";

const ROOT = path.join(import.meta.dirname, "..", "..", "..");

const USAGE = `npm run verify:vendor -- <connector> [options]

Runs the conformance suite of the Documents hub against a real vendor, with your own app (vendor-accounts.json) and a test account.

  --only <text>               only tests whose name contains this text
  --with <key=value>          a field of the authorization URL and of the instance's configuration; may be repeated
  --sign-in-timeout <seconds> how long to wait for the sign-in; default 300
  --patience <seconds>        how long to wait for rate limits, all together; default 900
  --repeat-after <seconds>    how long after a failure a test is repeated, twice; default 5

Ends with 0: nothing differs; 1: something differs; 2: not everything could be checked, or the folder is still there.`;

interface Settings {
  readonly connector: string;
  readonly only?: string;
  readonly configuration: Readonly<Record<string, string>>;
  readonly signInTimeoutMs: number;
  readonly patienceMs: number;
  readonly repeatAfterMs: number;
}

/** @throws {Error} an argument is missing or wrong */
function readSettings(args: readonly string[]): Settings {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: "string" },
      with: { type: "string", multiple: true, default: [] },
      "sign-in-timeout": { type: "string", default: "300" },
      patience: { type: "string", default: "900" },
      "repeat-after": { type: "string", default: "5" },
    },
  });
  const [connector = "", ...more] = positionals;
  if (!documentsConnectors.includes(connector) || more.length > 0)
    throw new Error(`name one of these connectors: ${documentsConnectors.join(", ")}\n\n${USAGE}`);
  const milliseconds = (name: "sign-in-timeout" | "patience" | "repeat-after"): number => {
    const value = Number(values[name]);
    if (!(value >= 0)) throw new Error(`--${name} must be a number of seconds`);
    return value * 1000;
  };
  return {
    connector,
    ...(values.only === undefined ? {} : { only: values.only }),
    configuration: Object.fromEntries(values.with.map(keyAndValue)),
    signInTimeoutMs: milliseconds("sign-in-timeout"),
    patienceMs: milliseconds("patience"),
    repeatAfterMs: milliseconds("repeat-after"),
  };
}

function keyAndValue(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new Error("--with must be key=value");
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Runs the suite in a process of its own; what it finds is not lost if that process ends early. */
async function runSuite(settings: Settings, verification: Verification): Promise<Findings> {
  let giveUp = (): void => {};
  const { reporter, findings } = findingsReporter(console.log, () => giveUp());
  const vitest = await createVitest({
    root: ROOT,
    config: false,
    watch: false,
    include: ["test/conformance/verify/real-vendor.ts"],
    pool: "forks",
    maxWorkers: 1,
    // A vendor may be slow, and a test may wait for a rate limit.
    testTimeout: 120_000 + settings.patienceMs,
    hookTimeout: 120_000 + settings.patienceMs,
    // Searches at a vendor lag behind: a difference is what stays.
    retry: { count: 2, delay: settings.repeatAfterMs, condition: /^(?!rate limit: )/ },
    reporters: [reporter],
    provide: { verification },
    ...(settings.only === undefined ? {} : { testNamePattern: settings.only }),
  });
  giveUp = () => void vitest.cancelCurrentRun("test-failure");
  const interrupted = (): void => {
    findings.unchecked.push("The run was interrupted.");
    void vitest.cancelCurrentRun("keyboard-input");
  };
  // Vitest's own listener ends the process at once; but first the folder must be removed.
  process.removeAllListeners("SIGINT");
  process.once("SIGINT", interrupted);
  try {
    await vitest.start();
  } finally {
    process.off("SIGINT", interrupted);
    await vitest.close();
  }
  return findings;
}

/** @throws {Error} the folder is still there */
async function removeFolder(hub: PatientHub, folder: string): Promise<void> {
  const left = new Error(`The folder ${folder} could not be removed: remove it at the vendor.`);
  for (let attempt = 0; attempt < 3; attempt++) {
    if (attempt > 0) await setTimeout(2000);
    const query = { path: folder, emptyTrash: true };
    const { status } = await hub.call("DELETE", "/folders", { query }).catch(() => ({ status: 0 }));
    if (status === 404) return;
    const { status: then } = await hub.metadata(folder).catch(() => ({ status: 0 }));
    if (then === 404) return;
  }
  throw left;
}

/** @returns the exit code */
async function verify(settings: Settings): Promise<number> {
  const { connector } = settings;
  const callbacks = callbacksOf(connector);
  const platform = await startPlatform({
    dataFolder: dataFolderOf(process.env.LINKSPAN_DATA),
    port: portOf(process.env.PORT),
    schedulesFire: false,
    onCallback: (url) => callbacks.take(url),
  });
  const app = new App(platform.demo);
  let instance: CreatedInstance | undefined;
  try {
    if (platform.vendors[connector] !== undefined)
      throw new Error(`vendor-accounts.json has no app for ${connector}; README.md shows how to add it`);
    const { signInTimeoutMs, patienceMs, configuration } = settings;
    instance = await signIn(app, connector, configuration, callbacks, signInTimeoutMs, console.log);
    const name = `Linkspan check ${new Date().toISOString().slice(0, 10)} ${randomBytes(3).toString("hex")}`;
    const folder = `${traitsOf(connector).base}/${name}`;
    console.log(`Works in the folder ${folder}.`);
    const hub = new PatientHub(platform.baseUrl, instance.token, patienceMs);
    try {
      return conclude(
        await runSuite(settings, {
          connector,
          baseUrl: platform.baseUrl,
          token: instance.token,
          instanceId: instance.id,
          folder,
          patienceMs,
        }),
      );
    } finally {
      await removeFolder(hub, folder);
      console.log(`The folder ${folder} is removed.`);
    }
  } finally {
    if (instance !== undefined) {
      // Revokes the grant, where the vendor can.
      await app.platform("DELETE", `/instances/${instance.id}`).catch(() => {});
      await platform.settled().catch(() => {});
    }
    await platform.close();
  }
}

/** Prints what was found. @returns the exit code */
function conclude({ same, skipped, differences, unchecked }: Findings): number {
  for (const text of differences) console.log(`\nDiffers from the stand-in: ${text}`);
  for (const text of unchecked) console.log(`\nNot checked: ${text}`);
  console.log(
    `\n${same} as at the stand-in, ${differences.length} different, ${unchecked.length} not checked, ${skipped} skipped`,
  );
  if (unchecked.length > 0 || same + differences.length === 0) return 2;
  return differences.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await verify(readSettings(process.argv.slice(2)));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
