import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentsConnectors } from "../../functions/core/documents/vendors/index.ts";
import { endServer, listen } from "../../local/listen.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { passVendor } from "../e2e/app.ts";
import { FormBrowser } from "../form-browser.ts";
import { compileCache } from "../platform/run-admin.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";

// Two platforms: the stand-ins of one are the vendors of the other, which runs the command.

const COMMAND = path.join(import.meta.dirname, "verify", "verify-vendor.ts");
const LOGIN = "tester@example.com";
/** A vendor that shows no email address differs from every stand-in. */
const DIFFERENT = "different";

let vendors: RunningPlatform;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "linkspan-verify-"));
  vendors = await startTestPlatform();
  for (const vendor of Object.values(vendors.vendors)) {
    // Connectors of one vendor share its accounts.
    if (vendor.accounts.some(({ login }) => login === LOGIN)) continue;
    vendor.addAccount({ login: LOGIN, name: "Tess Ter", email: LOGIN });
    vendor.addAccount({ login: DIFFERENT, name: "Diff Erent", email: "none" });
    vendor.addFile(LOGIN, "/of the user.txt", "mine");
  }
});
afterAll(async () => {
  await vendors?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/**
 * Runs the command, and signs in when it prints the URL.
 * @param person who signs in; absent: nobody does
 * @param event what to do when the output has this text
 */
async function verify(
  vendor: StandIn,
  args: readonly string[],
  person: { login?: string; allow?: boolean } | undefined,
  event: { text: string; act: (child: ChildProcess) => void } = { text: "Works in", act: () => {} },
): Promise<Run> {
  const data = await mkdtemp(path.join(folder, "data-"));
  const { server, url } = await listen(0);
  await endServer(server);
  const { clientId, clientSecret } = vendor.app;
  vendor.allowRedirect(`${url}/callback/${vendor.connector}`);
  const json = (name: string, value: unknown) => writeFile(path.join(data, name), JSON.stringify(value));
  await json("vendor-accounts.json", { [vendor.connector]: { clientId, clientSecret } });
  await json("vendors.json", Object.fromEntries(vendor.hosts.map((host) => [host, vendor.origin])));
  const child = spawn(process.execPath, [COMMAND, vendor.connector, ...args], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      LINKSPAN_DATA: data,
      PORT: new URL(url).port,
      NODE_COMPILE_CACHE: compileCache,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 280_000);
  try {
    let output = "";
    let signingIn: Promise<unknown> | undefined;
    let hasActed = false;
    const read = (chunk: Buffer): void => {
      output += chunk;
      const oauthUrl = /^ {2}(https?:\S+)\n/m.exec(output)?.[1];
      if (oauthUrl !== undefined && person !== undefined) signingIn ??= signIn(oauthUrl, person);
      if (!hasActed && output.includes(event.text)) {
        hasActed = true;
        event.act(child);
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    await signingIn;
    return { code, output };
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
  }
}

async function signIn(oauthUrl: string, person: { login?: string; allow?: boolean }): Promise<void> {
  const browser = new FormBrowser({ stopAt: (url) => url.includes("/callback/") });
  const { url } = await passVendor(browser, await browser.open(oauthUrl), { login: LOGIN, ...person });
  const page = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  expect(await page.text()).toContain("Linkspan has the vendor's answer");
}

/** All that the command has left in the account. */
function leftIn(vendor: StandIn, login = LOGIN): string[] {
  return vendor
    .entries(login)
    .map((entry) => entry.path)
    .filter((entry) => entry.includes("Linkspan check"));
}

function standIn(connector: string | undefined): StandIn {
  const vendor = vendors.vendors[connector ?? ""];
  if (vendor === undefined) throw new Error(`${connector} has no stand-in`);
  return vendor;
}

const [first, ...others] = documentsConnectors;

describe("npm run verify:vendor", { timeout: 300_000 }, () => {
  it("finds no difference at a vendor that is like its stand-in, and leaves nothing there", async () => {
    const vendor = standIn(first);
    const { code, output } = await verify(vendor, [], {});
    expect(output).not.toContain("Differs from the stand-in");
    expect(output).toMatch(/\n\d{2,} as at the stand-in, 0 different, 0 not checked, \d+ skipped\n/);
    expect([code, leftIn(vendor), vendor.living(LOGIN).grants], output).toEqual([0, [], 0]);
    expect(vendor.entries(LOGIN).map((entry) => entry.path)).toContain("/of the user.txt");
  });

  it.each(others)("runs at %s, too", async (connector) => {
    const vendor = standIn(connector);
    const { code, output } = await verify(vendor, ["--only", "an upload"], {});
    expect([code, leftIn(vendor)], output).toEqual([0, []]);
  });

  it("prints what differs, ends with 1, and removes its folder also then", async () => {
    const vendor = standIn(first);
    const { code, output } = await verify(vendor, ["--only", "the account", "--repeat-after", "0"], {
      login: DIFFERENT,
    });
    expect([code, leftIn(vendor, DIFFERENT), vendor.living(DIFFERENT).grants], output).toEqual([1, [], 0]);
    expect(output).toContain("Differs from the stand-in: the account > shows the id and the email address");
    expect(output).toContain("2 as at the stand-in, 1 different, 0 not checked");
  });

  it("ends with 2 when nobody signs in, or the person refuses", async () => {
    const vendor = standIn(first);
    const late = await verify(vendor, ["--sign-in-timeout", "1"], undefined);
    expect(late.code, late.output).toBe(2);
    expect(late.output).toContain("nobody has signed in within 1 s");
    const refused = await verify(vendor, [], { allow: false });
    expect(refused.code, refused.output).toBe(2);
    expect(refused.output).toContain("the vendor refuses: access_denied");
  });

  it("ends with 2 without an app for the connector, and for an unknown connector", async () => {
    const unknown = await verify({ ...standIn(first), connector: "nothing" }, [], undefined);
    expect(unknown.code).toBe(2);
    expect(unknown.output).toContain(`name one of these connectors: ${first}`);
  });

  it("removes its folder also when it is interrupted, and ends with 2", async () => {
    const vendor = standIn(first);
    const interrupt = { text: "same: an upload", act: (child: ChildProcess) => child.kill("SIGINT") };
    const { code, output } = await verify(vendor, [], {}, interrupt);
    expect([code, leftIn(vendor)], output).toEqual([2, []]);
    expect(output).toContain("The run was interrupted.");
  });

  it("waits for rate limits as long as the vendor says", async () => {
    const vendor = standIn(first);
    const limit = { endpoint: "api", status: 429, headers: { "Retry-After": "1" }, count: 4 } as const;
    const { code, output } = await verify(
      vendor,
      ["--only", "the account"],
      {},
      {
        text: "Works in",
        act: () => vendor.fail(limit),
      },
    );
    expect([code, leftIn(vendor)], output).toEqual([0, []]);
    expect(output).toContain("The vendor limits the rate: waits 1 s.");
  });

  it("gives up on a rate limit that is longer than its patience, and names the folder that is left", async () => {
    const vendor = standIn(first);
    const limit = { endpoint: "api", status: 429, headers: { "Retry-After": "3600" }, count: 500 } as const;
    const { code, output } = await verify(
      vendor,
      ["--only", "the account"],
      {},
      {
        text: "Works in",
        act: () => vendor.fail(limit),
      },
    );
    vendor.clearFaults();
    expect(code, output).toBe(2);
    expect(output).toContain("Not checked: the account");
    expect(output).toMatch(/The folder \/Linkspan check .* could not be removed: remove it at the vendor/);
  });
});
