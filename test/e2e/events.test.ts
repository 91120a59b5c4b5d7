import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App } from "./app.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;

let platform: RunningPlatform;
let app: App;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
});
afterAll(() => platform.close());
beforeEach(() => {
  platform.frontDoor.clearFaults();
  platform.frontDoor.clearEvents();
  for (const vendor of Object.values(platform.vendors)) vendor.clearFaults();
});

/** Events on the bus about an instance. */
const eventsOf = (id: number) => platform.frontDoor.events().filter(({ detail }) => detail.instanceId === id);
const told = (id: number): string[] => eventsOf(id).map((event) => event["detail-type"]);

const list = (token: string) => app.hub<unknown[]>(token, "GET", "/hubs/documents/folders/contents?path=/");

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("it did not come about within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it("events tell the whole life of an instance, without any token or secret", async () => {
  const instance = await app.connect("dropbox");
  await platform.settled();
  const [created] = eventsOf(instance.id);
  expect(created).toEqual({
    version: "0",
    id: expect.any(String),
    "detail-type": "instance.created",
    source: "linkspan",
    account: platform.frontDoor.accountId,
    time: expect.any(String),
    region: platform.frontDoor.region,
    resources: [],
    detail: {
      version: "1",
      id: expect.any(String),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      organizationId: expect.any(String),
      userId: expect.any(String),
      instanceId: instance.id,
      connector: "dropbox",
    },
  });
  expect(Math.abs(Date.parse(String(created?.detail.at)) - platform.clock.now())).toBeLessThan(60_000);

  expect((await list(instance.token)).status).toBe(200);
  await app.platform("DELETE", `/instances/${instance.id}/enabled`);
  await app.platform("PUT", `/instances/${instance.id}/enabled`);
  await platform.settled();

  platform.vendors.dropbox?.revokeGrants();
  platform.clock.advance(5 * HOUR);
  const answers = await Promise.all(Array.from({ length: 8 }, () => list(instance.token)));
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(401));
  await platform.settled();

  const { oauthUrl } = await app.authorizationUrl("dropbox");
  const back = await app.consent("dropbox", oauthUrl);
  const again = await app.platform("PATCH", `/instances/${instance.id}`, {
    providerData: { code: back.searchParams.get("code"), state: back.searchParams.get("state") },
  });
  expect(again.status).toBe(200);
  await platform.settled();
  await app.platform("DELETE", `/instances/${instance.id}`);
  await platform.settled();

  // Two messages bring the two events between, in any order.
  expect(told(instance.id).toSorted()).toEqual([
    "instance.created",
    "instance.deleted",
    "instance.disabled",
    "instance.enabled",
    "instance.needs_reauth",
    "instance.reauthenticated",
  ]);
  expect(told(instance.id)[0]).toBe("instance.created");
  expect(told(instance.id).slice(3)).toEqual([
    "instance.needs_reauth",
    "instance.reauthenticated",
    "instance.deleted",
  ]);
  expect(new Set(eventsOf(instance.id).map(({ detail }) => detail.id)).size).toBe(6);
  expect(eventsOf(instance.id)[3]?.detail.reason).toBe("invalid_grant");

  const written = await readFile(path.join(platform.dataFolder, "events.jsonl"), "utf8");
  expect(written).toContain(String(instance.id));
  const { userSecret, organizationSecret, connectors } = platform.demo;
  const secrets = [instance.token, userSecret, organizationSecret, connectors.dropbox?.clientSecret ?? ""];
  const tokens = platform.vendors.dropbox
    ?.requests()
    .flatMap(({ headers }) => /^Bearer (.+)$/.exec(String(headers.authorization))?.[1] ?? []);
  expect(tokens?.length).toBeGreaterThan(0);
  for (const secret of [...secrets, ...(tokens ?? [])]) expect(written).not.toContain(secret);
});

it("events tell once that refreshes fail, and once that they work again", async () => {
  const instance = await app.connect("googledrive");
  await platform.settled();
  platform.vendors.googledrive?.fail({ path: "/token", status: 503, count: 1_000 });
  platform.clock.advance(50 * MINUTE);
  for (let round = 0; round < 3; round++) {
    await platform.sweep();
    await platform.settled();
    platform.clock.advance(20 * MINUTE);
  }
  platform.vendors.googledrive?.clearFaults();
  await platform.sweep();
  await platform.settled();
  expect(told(instance.id)).toEqual([
    "instance.created",
    "instance.refresh_failed",
    "instance.refresh_recovered",
  ]);
});

it("no event and no message is sent when a call finds its token valid", async () => {
  const instance = await app.connect("dropbox");
  await list(instance.token);
  await platform.settled();
  platform.frontDoor.clearCalls();
  for (let call = 0; call < 3; call++) expect((await list(instance.token)).status).toBe(200);
  await platform.settled();
  expect(platform.frontDoor.calls().filter(({ action }) => action === "sqs:SendMessage")).toEqual([]);
});

it("an event reports the end of a refresh that lasts longer than its caller waits", {
  timeout: 40_000,
}, async () => {
  const instance = await app.connect("dropbox");
  await platform.settled();
  platform.clock.advance(5 * HOUR);
  platform.vendors.dropbox?.revokeGrants();
  // Longer than a caller waits (8 s): the call is answered before the vendor says that the grant has ended.
  platform.vendors.dropbox?.fail({ endpoint: "token", delayMs: 9_000 });
  expect((await list(instance.token)).status).toBe(503);
  await platform.settled();
  expect(told(instance.id)).toEqual(["instance.created", "instance.needs_reauth"]);
});

it("an event reaches the bus though EventBridge fails twice", async () => {
  platform.frontDoor.fail({ service: "events", action: "PutEvents", status: 500, count: 2 });
  const instance = await app.connect("dropbox");
  await platform.settled();
  expect(told(instance.id)).toEqual(["instance.created"]);
});

it("an event reaches the bus by a later delivery of its message, under the same id, when EventBridge is down for a while", async () => {
  platform.frontDoor.clearCalls();
  platform.frontDoor.fail({ service: "events", action: "PutEvents", reset: "after" });
  platform.frontDoor.fail({ service: "events", action: "PutEvents", status: 500, count: 5 });
  const instance = await app.connect("dropbox");
  const refusals = () =>
    platform.frontDoor.calls().filter(({ action, status }) => action === "events:PutEvents" && status !== 200)
      .length;
  await until(() => refusals() === 3);
  await until(() => platform.lambda.isIdle());
  platform.clock.advance(31 * MINUTE);
  await until(() => refusals() === 6);
  await until(() => platform.lambda.isIdle());
  platform.clock.advance(31 * MINUTE);
  await platform.settled();
  expect(told(instance.id)).toEqual(["instance.created", "instance.created"]);
  expect(new Set(eventsOf(instance.id).map(({ detail }) => detail.id)).size).toBe(1);
});

it("a call does not fail when the queue does not accept its event, and the lost event is counted", async () => {
  const lines: string[] = [];
  const watched = await startTestPlatform({ onLog: (source, line) => lines.push(`${source}: ${line}`) });
  try {
    watched.frontDoor.fail({ service: "sqs", action: "SendMessage", status: 500, count: 100 });
    const instance = await new App(watched.demo).connect("dropbox");
    await watched.settled();
    expect(watched.frontDoor.events()).toEqual([]);
    const lost = lines.filter((line) => line.includes('"LostEvents":1'));
    expect(lost).toHaveLength(1);
    expect(lost[0]).toContain(`"instanceId":${instance.id}`);
  } finally {
    await watched.close();
  }
});
