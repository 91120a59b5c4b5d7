import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FormBrowser } from "../form-browser.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, passVendor } from "./app.ts";

interface Made {
  readonly id: number;
  readonly token: string;
}

/** What the older version left in the folder; see test/old-data/README.md. */
interface Notes {
  readonly endedAt: number;
  readonly port: number;
  readonly dropbox: Made;
  readonly drive: Made;
  readonly disabled: Made;
  readonly deleted: Made;
  readonly dead: Made;
  readonly suspended: Made & { readonly userSecret: string };
  readonly rescuedRefresh: Made;
  readonly rescuedSignIn: Made;
  readonly rescuedNew: Made;
  readonly unclaimed: { readonly session: string; readonly claim: string };
  readonly unclaimedAgain: { readonly session: string; readonly claim: string; readonly instanceId: number };
  readonly open: { readonly session: string; readonly connectUrl: string };
  readonly onTheWay: { readonly session: string; readonly cookie: string; readonly vendorUrl: string };
  readonly direct: { readonly oauthUrl: string; readonly callbackUrl: string };
}

const FOLDER = join(import.meta.dirname, "../old-data");
const notes = JSON.parse(readFileSync(join(FOLDER, "version-0.1.0.json"), "utf8")) as Notes;

let work: string;
let platform: RunningPlatform;
let app: App;
beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "linkspan-old-"));
  execFileSync("tar", ["-xzf", join(FOLDER, "version-0.1.0.tar.gz"), "-C", work]);
  platform = await startTestPlatform({ dataFolder: join(work, "data"), port: notes.port });
  platform.clock.advance(notes.endedAt + 60_000 - platform.clock.now());
  app = new App(platform.demo);
});
afterAll(async () => {
  await platform?.close();
  rmSync(work, { recursive: true, force: true, maxRetries: 3 });
});

const ping = async ({ token }: Made) => (await app.hub(token, "GET", "/hubs/documents/ping")).status;

const claim = (session: string, value: string | null) =>
  app.platform<Made>("POST", `/connect/sessions/${session}/claim`, { claim: value, endUser: "user-1" });

/** A page of Dropbox on the stand-in that runs now. */
function atStandIn(vendorUrl: string): string {
  const { pathname, search } = new URL(vendorUrl);
  return `${platform.vendors.dropbox?.origin}${pathname}${search}`;
}

async function throughVendor(browser: FormBrowser, url: string): Promise<URL> {
  return new URL((await passVendor(browser, await browser.open(url))).url);
}

describe("the data folder of version 0.1.0", { timeout: 120_000 }, () => {
  it("keeps its connections working, and still refuses the connections that were refused before", async () => {
    expect([await ping(notes.dropbox), await ping(notes.drive)]).toEqual([200, 200]);
    expect(await ping(notes.disabled)).toBe(403);
    expect(await ping(notes.deleted)).toBe(401);
    const dead = await app.hub<{ code: string }>(notes.dead.token, "GET", "/hubs/documents/ping");
    expect([dead.status, dead.body.code]).toEqual([401, "needs_reauthentication"]);
    const status = await app.platform<Record<string, unknown>>("GET", `/instances/${notes.dead.id}/status`);
    expect(status.body).toMatchObject({ valid: false, lastError: { code: "invalid_grant" } });
  });

  it("keeps a user suspended who was suspended before", async () => {
    expect(await ping(notes.suspended)).toBe(401);
  });

  it("moves the grants of the rescue bucket into the table, and finishes deletions that had begun", async () => {
    await platform.sweep();
    await platform.settled();
    for (const each of [notes.rescuedRefresh, notes.rescuedSignIn, notes.rescuedNew])
      expect(await ping(each)).toBe(200);
    // A record that a worker and a call take from the bucket at the same time is read once more, some sweeps later.
    const left = () => platform.lambda.metrics("RefreshSweep").at(-1)?.RescueRecords;
    for (let sweeps = 0; sweeps < 10 && (sweeps === 0 || left() !== 0); sweeps++) {
      platform.clock.advance(60_000);
      await platform.sweep();
      await platform.settled();
    }
    expect(left()).toBe(0);
    expect((await app.platform("GET", `/instances/${notes.deleted.id}`)).status).toBe(404);
  });

  it("masks secrets that are stored in plain text, and seals them when the configuration is written", async () => {
    const path = `/instances/${notes.dropbox.id}`;
    const read = () => app.platform<{ configuration: Record<string, string> }>("GET", path);
    const configuration = { apiToken: "********", "my.password": "********", region: "eu" };
    expect((await read()).body.configuration).toMatchObject(configuration);
    const changed = await app.platform("PATCH", path, { configuration: { region: "us" } });
    expect(changed.status).toBe(200);
    expect((await read()).body.configuration).toMatchObject({ ...configuration, region: "us" });
  });

  it("accepts the claim of sessions that were connected before", async () => {
    const made = await claim(notes.unclaimed.session, notes.unclaimed.claim);
    expect(made.status).toBe(200);
    expect(await ping(made.body)).toBe(200);
    const again = await claim(notes.unclaimedAgain.session, notes.unclaimedAgain.claim);
    expect([again.status, again.body.id]).toEqual([200, notes.unclaimedAgain.instanceId]);
    expect(await ping(notes.dropbox)).toBe(200);
  });

  it("continues sessions that were open, and those whose user is at the vendor", async () => {
    const person = new FormBrowser({ stopAt: (url) => url.startsWith("https://app.example/") });
    const page = await person.open(notes.open.connectUrl);
    const back = new URL((await passVendor(person, await person.submit(page, /continue with/i))).url);
    expect((await claim(notes.open.session, back.searchParams.get("claim"))).status).toBe(200);

    const { cookie, vendorUrl, session } = notes.onTheWay;
    const atVendor = new FormBrowser({ stopAt: (each) => each.includes("/oauth/callback/") });
    const callback = await throughVendor(atVendor, atStandIn(vendorUrl));
    const answer = await fetch(callback, { redirect: "manual", headers: { Cookie: cookie } });
    const returned = new URL(answer.headers.get("location") ?? "");
    expect((await claim(session, returned.searchParams.get("claim"))).status).toBe(200);
  });

  it("accepts the code of an authorization URL that was made before", async () => {
    const { oauthUrl, callbackUrl } = notes.direct;
    const browser = new FormBrowser({ stopAt: (url) => url.startsWith(callbackUrl) });
    const back = await throughVendor(browser, atStandIn(oauthUrl));
    const [code, state] = ["code", "state"].map((name) => back.searchParams.get(name));
    const made = await app.platform<Made>("POST", "/instances", {
      element: { key: "dropbox" },
      providerData: { code, state },
      configuration: { "oauth.callback.url": callbackUrl },
    });
    expect(made.status).toBe(200);
    expect(await ping(made.body)).toBe(200);
  });
});
