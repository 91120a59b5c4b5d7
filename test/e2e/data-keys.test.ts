import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runAdmin } from "../platform/run-admin.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance } from "./app.ts";
import { appOfAnotherOrganization, operatorOf } from "./tenants.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let platform: RunningPlatform;
let app: App;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
});
afterAll(() => platform.close());
beforeEach(() => {
  platform.frontDoor.clearFaults();
  for (const vendor of Object.values(platform.vendors)) vendor.clearFaults();
});

const admin = <T>(...args: string[]) => runAdmin<T>(platform, args);
const ping = async (by: App, { token }: CreatedInstance) =>
  (await by.hub(token, "GET", "/hubs/documents/ping")).status;
const organizationCalled = async (name: string) => {
  const found = (await operatorOf(platform).listOrganizations()).find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no organization ${name}`);
  return found;
};

/** Waits until a state of the platform is reached between two of its calls; no fixed time. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("it did not come about within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function endProcesses(...functions: string[]): Promise<void> {
  for (const name of functions) platform.lambda.kill(name, "SIGKILL");
  await until(() => functions.every((name) => platform.lambda.processes(name).length === 0));
}

describe("a data key", () => {
  it("is rotated and its old version retired during traffic, and every connection keeps working", {
    timeout: 120_000,
  }, async () => {
    const { id, dataKeys } = await organizationCalled("Demo");
    const instances = [await app.connect("dropbox"), await app.connect("googledrive")];
    const answers = async () => Promise.all(instances.map((each) => ping(app, each)));
    // An authorization in progress: its verifier is sealed under the old version.
    const { oauthUrl, state } = await app.authorizationUrl("googledrive");
    expect(await answers()).toEqual([200, 200]);

    expect((await admin("organization", "rotate-key", id)).answer).toMatchObject({ versions: 2 });
    expect(await answers()).toEqual([200, 200]);
    const resealed = await admin<{ resealed: number; retired: string[]; kept: string[] }>(
      "organization",
      "reseal",
      id,
    );
    expect(resealed.answer.resealed).toBeGreaterThanOrEqual(instances.length);
    expect(resealed.answer).toMatchObject({ broken: [], retired: [], kept: dataKeys.map((key) => key.id) });
    expect(resealed.said).toContain("superseded less than eight days ago");

    // Running processes still have the old organization in memory: they read it again, and open what the new version sealed.
    expect(await answers()).toEqual([200, 200]);
    const back = await app.consent("googledrive", oauthUrl);
    const late = await app.platform<CreatedInstance>("POST", "/instances", {
      element: { key: "googledrive" },
      providerData: { code: back.searchParams.get("code"), state },
      configuration: { "oauth.callback.url": app.callbackUrl("googledrive") },
    });
    expect(late.status).toBe(200);
    instances.push(late.body);

    // No process lives for eight days.
    await endProcesses("Authorization", "Connections", "Documents", "RefreshWorker");
    platform.clock.advance(8 * DAY + MINUTE);
    const last = await admin<{ retired: string[]; kept: string[] }>("organization", "reseal", id);
    expect(last.answer).toMatchObject({ retired: dataKeys.map((key) => key.id), kept: [] });
    expect((await organizationCalled("Demo")).dataKeys).toHaveLength(1);
    expect(await answers()).toEqual([200, 200, 200]);
    // The same with nothing in memory.
    await endProcesses("Documents");
    expect(await answers()).toEqual([200, 200, 200]);
  });

  it("is replaced for an instance during a refresh: the refresh wins, and nothing is lost", {
    timeout: 120_000,
  }, async () => {
    const { id } = await organizationCalled("Demo");
    const instance = await app.connect("dropbox");
    await admin("organization", "rotate-key", id);
    const before = await statusOf(instance);
    platform.clock.advance(2 * MINUTE);

    // The lease is taken; the write of the new grant is delayed.
    platform.frontDoor.fail({
      service: "dynamodb",
      action: "UpdateItem",
      principal: "Connections",
      skip: 1,
      delayMs: 4_000,
    });
    platform.frontDoor.clearCalls();
    const refreshing = app.platform("POST", `/instances/${instance.id}/refresh`);
    await until(() =>
      platform.frontDoor
        .calls()
        .some(
          ({ principal, action, status }) =>
            principal === "Connections" && action === "dynamodb:UpdateItem" && status === 200,
        ),
    );
    const during = await admin<{ resealed: number; broken: string[] }>("organization", "reseal", id);
    const writes = platform.frontDoor
      .calls()
      .filter(({ action, status }) => action === "dynamodb:UpdateItem" && status === 200)
      .map(({ principal }) => principal);

    expect((await refreshing).status).toBe(200);
    expect(during.answer).toMatchObject({ broken: [] });
    expect(during.answer.resealed).toBeGreaterThanOrEqual(1);
    // The re-seal came between the lease and the commit.
    expect(writes.slice(0, 2)).toEqual(["Connections", "Operator"]);
    expect(writes.filter((principal) => principal === "Connections")).toHaveLength(1);
    const after = await statusOf(instance);
    expect(Date.parse(after.expiresAt)).toBeGreaterThan(Date.parse(before.expiresAt));
    expect(await ping(app, instance)).toBe(200);
    // The refreshing process still used the organization's old version, so the next run has this instance left to re-seal.
    expect((await admin("organization", "reseal", id)).answer).toMatchObject({ broken: [], resealed: 1 });
    expect((await admin("organization", "reseal", id)).answer).toMatchObject({ broken: [], resealed: 0 });
    expect(await ping(app, instance)).toBe(200);
  });
});

async function statusOf({ id }: CreatedInstance): Promise<{ expiresAt: string }> {
  return (await app.platform<{ expiresAt: string }>("GET", `/instances/${id}/status`)).body;
}

describe("an organization that is deleted", () => {
  it("is revoked at the vendors, then shredded, and its callers are unauthorized", {
    timeout: 120_000,
  }, async () => {
    const other = await appOfAnotherOrganization(platform);
    const { id } = await organizationCalled("Other");
    const instance = await other.connect("dropbox");
    expect(await ping(other, instance)).toBe(200);
    const living = platform.vendors.dropbox?.living().grants ?? 0;

    const counted = await admin("organization", "delete", id);
    expect([counted.answer, counted.said]).toEqual([
      { id, state: "untouched", found: 1 },
      expect.stringContaining("--yes"),
    ]);
    expect(await ping(other, instance)).toBe(200);

    expect((await admin("organization", "delete", id, "--yes")).answer).toMatchObject({ state: "revoking" });
    expect(await ping(other, instance)).toBe(401);
    await platform.settled();
    expect(platform.vendors.dropbox?.living().grants).toBe(living - 1);

    platform.clock.advance(11 * MINUTE);
    expect((await admin("organization", "delete", id, "--yes")).answer).toEqual({
      id,
      state: "shredded",
      left: [],
      pendingSignIns: 0,
      rescueRecords: 0,
    });
    await endProcesses("Connections");
    expect((await other.platform("GET", "/instances")).status).toBe(401);
    await expect(admin("organization", "delete", id, "--yes")).rejects.toThrow(`no organization ${id}`);
    expect(await ping(app, await app.connect("dropbox"))).toBe(200);
  });

  it("with --now is shredded at once, and the command names what is not revoked at the vendor", {
    timeout: 120_000,
  }, async () => {
    const other = await appOfAnotherOrganization(platform);
    const { id } = await organizationCalled("Other");
    const instance = await other.connect("dropbox");
    platform.vendors.dropbox?.fail({ endpoint: "revocation", status: 503, count: 1000 });

    await admin("organization", "delete", id, "--yes");
    await platform.settled();
    const shredded = await admin<{ state: string; left: string[] }>(
      "organization",
      "delete",
      id,
      "--yes",
      "--now",
    );
    expect(shredded.answer).toMatchObject({ state: "shredded", left: [String(instance.id)] });
    expect(shredded.said).toContain(`not revoked at dropbox: instance ${instance.id}`);
    expect(await ping(other, instance)).toBe(401);
  });
});
