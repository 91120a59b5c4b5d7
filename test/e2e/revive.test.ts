import { afterAll, beforeAll, expect, it } from "vitest";
import { runAdmin } from "../platform/run-admin.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance } from "./app.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let platform: RunningPlatform;
let app: App;
beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
});
afterAll(() => platform.close());

const sweep = async () => {
  await platform.sweep();
  await platform.settled(90_000);
};
const isValid = async ({ id }: CreatedInstance) =>
  (await app.platform<{ valid: boolean }>("GET", `/instances/${id}/status`)).body.valid;
const since = () => new Date(platform.clock.now() - HOUR).toISOString();
const all = () => ["revive-all", "--connector", "googledrive", "--since", since()];

/** Makes a vendor refuse every grant as ended, for as long as the calls of its users take. */
async function incident(instances: readonly CreatedInstance[]): Promise<void> {
  platform.clock.advance(2 * HOUR);
  platform.vendors.googledrive?.fail({
    path: "/token",
    status: 400,
    body: JSON.stringify({ error: "invalid_grant", error_description: "Token has been expired or revoked." }),
    headers: { "Content-Type": "application/json" },
    count: 1_000,
  });
  for (const { token } of instances) await app.hub(token, "GET", "/hubs/documents/ping");
  await platform.settled();
  platform.vendors.googledrive?.clearFaults();
}

it("one command revives grants that a vendor refused during an incident", {
  timeout: 120_000,
}, async () => {
  const instances = [await app.connect("googledrive"), await app.connect("googledrive")];
  await incident(instances);
  expect(await Promise.all(instances.map(isValid))).toEqual([false, false]);

  const dry = await runAdmin<Record<string, number>>(platform, all());
  expect(dry.answer).toEqual({ found: 2, clients: 1, triedLately: 0, undated: 0 });
  expect(dry.said).toContain("Nothing was tried");
  expect(await Promise.all(instances.map(isValid))).toEqual([false, false]);

  const done = await runAdmin<Record<string, number>>(platform, [...all(), "--yes"]);
  expect(done.answer).toMatchObject({ found: 2, revived: 2, stillDead: 0, left: 0 });
  for (const { token } of instances)
    expect((await app.hub(token, "GET", "/hubs/documents/ping")).status).toBe(200);
  expect((await runAdmin<Record<string, number>>(platform, all())).answer).toMatchObject({ found: 0 });
});

it("a grant that its vendor has really ended stays dead, and its tokens are deleted after 30 days", {
  timeout: 120_000,
}, async () => {
  const instance = await app.connect("googledrive");
  await incident([instance]);
  platform.vendors.googledrive?.fail({
    path: "/token",
    status: 400,
    body: JSON.stringify({ error: "invalid_grant" }),
    headers: { "Content-Type": "application/json" },
    count: 1_000,
  });
  const tried = await runAdmin<Record<string, number>>(platform, ["instance", "revive", String(instance.id)]);
  expect(tried.answer).toMatchObject({ revived: 0, stillDead: 1 });
  platform.vendors.googledrive?.clearFaults();
  platform.clock.advance(31 * DAY);
  await sweep();
  await expect(runAdmin(platform, ["instance", "revive", String(instance.id)])).rejects.toThrow(
    "its tokens are deleted",
  );
  const { body } = await app.platform<{ valid: boolean; lastError: { errorDescription: string } }>(
    "GET",
    `/instances/${instance.id}/status`,
  );
  expect([body.valid, body.lastError.errorDescription]).toEqual([
    false,
    "Token has been expired or revoked.",
  ]);
  expect((await app.platform("DELETE", `/instances/${instance.id}`)).status).toBe(200);
});
