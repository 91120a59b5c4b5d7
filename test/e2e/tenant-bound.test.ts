import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { type Answer, App, type CreatedInstance } from "./app.ts";
import { appOfAnotherOrganization } from "./tenants.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const LIMIT = 12;
/** A process writes its counts every 5 s of the store's time, which the process knows to about a second. */
const NEXT_WRITE = 7_000;
const MINUTE = 60_000;

// This platform has stacks with the bound, which is off in the stacks of every other test.
const assembly = mkdtempSync(path.join(tmpdir(), "linkspan-bound-"));
const lines: string[] = [];
let platform: RunningPlatform;
let app: App;
let instance: CreatedInstance;

beforeAll(async () => {
  const options = ["--output", assembly, "--context", `tenantRequestsPerMinute=${LIMIT}`];
  const { status, stderr } = spawnSync("npm", ["run", "--silent", "synth", "--", ...options], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 240_000,
  });
  if (status !== 0) throw new Error(stderr);
  platform = await startTestPlatform({ assembly, onLog: (_, line) => lines.push(line) });
  app = new App(platform.demo);
  instance = await app.connect("dropbox");
}, 300_000);
afterAll(async () => {
  await platform?.close();
  rmSync(assembly, { recursive: true, force: true });
});

/** One call of each function that callers can reach. */
const calls: Readonly<Record<string, () => Promise<Answer>>> = {
  authorization: () =>
    app.platform("POST", "/elements/dropbox/oauth/url", { callbackUrl: app.callbackUrl("dropbox") }),
  connections: () => app.platform("GET", "/instances"),
  documents: () => app.hub(instance.token, "GET", "/hubs/documents/ping"),
  proxy: () => app.hub(instance.token, "POST", "/proxy/2/users/get_current_account"),
};

/** Waits for the beginning of the next minute of the store's time. */
function nextMinute(): void {
  platform.clock.advance(MINUTE - (platform.clock.now() % MINUTE) + 1_000);
}

/** Sends calls until a call is refused; some seconds pass between calls, so that the processes read each other's counts. */
async function callUntilRefused(name: string): Promise<{ served: number; refused: Answer }> {
  for (let served = 0; ; served++) {
    const answer = await calls[name]?.();
    if (answer === undefined || served > 10 * LIMIT) throw new Error(`${name} is never refused`);
    await platform.settled();
    if (answer.status !== 200) return { served, refused: answer };
  }
}

describe("the bound on what an organization may use", () => {
  it("ends a flood with 429 and Retry-After in each function, and the functions have the permissions that they need", {
    timeout: 120_000,
  }, async () => {
    for (const name of Object.keys(calls)) {
      nextMinute();
      const { served, refused } = await callUntilRefused(name);
      expect(served, name).toBeGreaterThanOrEqual(LIMIT);
      expect(refused, name).toMatchObject({
        status: 429,
        body: { code: "tenant_limit_reached", detail: { requestsPerMinute: LIMIT } },
      });
      const seconds = Number(refused.headers.get("retry-after"));
      expect(seconds, name).toBeGreaterThanOrEqual(1);
      expect(seconds, name).toBeLessThanOrEqual(60);
    }
    expect(lines.filter((line) => line.includes("not authorized to perform"))).toEqual([]);
  });

  it("counts the requests of all functions together", { timeout: 60_000 }, async () => {
    nextMinute();
    for (let index = 0; index < LIMIT; index++) {
      await calls.documents?.();
      await platform.settled();
    }
    platform.clock.advance(NEXT_WRITE);
    await calls.documents?.();
    await platform.settled();
    // The proxy has not served a request in this minute: its first one reads the counts of the others.
    const first = await calls.proxy?.();
    await platform.settled();
    const second = await calls.proxy?.();
    expect([first?.status, second?.status]).toEqual([200, 429]);
    // The answer says that the error is ours, not the vendor's.
    expect(second?.headers.get("elements-error-source")).toBe("linkspan");
  });

  it("does not affect another organization", { timeout: 60_000 }, async () => {
    nextMinute();
    const other = await appOfAnotherOrganization(platform);
    await callUntilRefused("connections");
    expect((await other.platform("GET", "/instances")).status).toBe(200);
    // Calls without authorization are not refused either.
    expect((await app.call("GET", "/elements")).status).toBe(200);
  });

  it("writes once for many requests, and after their answers", { timeout: 60_000 }, async () => {
    nextMinute();
    await calls.documents?.();
    await platform.settled();
    platform.frontDoor.clearCalls();
    for (let index = 0; index < 10; index++) {
      await calls.documents?.();
      await platform.settled();
    }
    const actions = platform.frontDoor
      .calls()
      .filter(({ principal }) => principal === "Documents")
      .map(({ action }) => action);
    expect(actions.filter((action) => action === "dynamodb:UpdateItem").length).toBeLessThanOrEqual(1);
  });
});
