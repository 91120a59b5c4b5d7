import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { App } from "../e2e/app.ts";
import { runAdmin } from "./run-admin.ts";
import { type RunningPlatform, startTestPlatform } from "./start.ts";

/** Runs the operator's command line against the running platform: a new tenant gets a connection, and the connection ends. */
let platform: RunningPlatform;

beforeAll(async () => {
  platform = await startTestPlatform();
}, 120_000);
afterAll(() => platform.close());

const admin = async <T>(args: readonly string[], input?: string): Promise<T> =>
  (await runAdmin<T>(platform, args, input)).answer;

it("creates a tenant whose user connects an account, and revokes the connection at the vendor", {
  timeout: 120_000,
}, async () => {
  const dropbox = platform.demo.connectors.dropbox;
  if (dropbox === undefined) throw new Error("demo.json has no Dropbox app");
  const organization = await admin<{ id: string; organizationSecret: string }>([
    "organization",
    "create",
    "Acme",
  ]);
  const user = await admin<{ userSecret: string }>([
    "user",
    "create",
    "--organization",
    organization.id,
    "--email",
    "ada@acme.example",
  ]);
  await admin(
    [
      "app",
      "register",
      "--organization",
      organization.id,
      "--connector",
      "dropbox",
      "--client-id",
      dropbox.clientId,
      "--callback-url",
      ...dropbox.callbackUrls,
    ],
    dropbox.clientSecret,
  );

  const app = new App({
    ...platform.demo,
    organizationSecret: organization.organizationSecret,
    userSecret: user.userSecret,
  });
  const instance = await app.connect("dropbox");
  expect((await app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(200);
  const listed = await admin<{ id: number; connector: string; status: string }[]>([
    "instance",
    "list",
    "--organization",
    organization.id,
  ]);
  expect(listed).toMatchObject([{ id: instance.id, connector: "dropbox", status: "active" }]);
  const living = platform.vendors.dropbox?.living().grants ?? 0;

  expect(await admin(["revoke-all", "--organization", organization.id, "--yes"])).toEqual({
    found: 1,
    pendingSignIns: 0,
    revoked: 1,
  });
  expect((await app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(401);
  await platform.settled();
  expect(platform.vendors.dropbox?.living().grants).toBe(living - 1);
  expect(await admin(["instance", "list", "--organization", organization.id])).toEqual([]);

  // A suspension is seen when the cached organization expires; the proxy's processes have not seen the organization yet.
  const another = await app.connect("dropbox");
  await admin(["organization", "suspend", organization.id]);
  const answer = await app.hub(another.token, "POST", "/proxy/2/users/get_current_account");
  expect([answer.status, answer.headers.get("elements-error-source")]).toEqual([401, "linkspan"]);
});

it("shows a message that failed five times, and lets it be processed when its cause is fixed", {
  timeout: 120_000,
}, async () => {
  const app = new App(platform.demo);
  const { id } = await app.connect("dropbox");
  const status = async () =>
    (
      await app.platform<{ expiresAt: string; lastRefreshedAt: string | null }>(
        "GET",
        `/instances/${id}/status`,
      )
    ).body;
  const before = await status();
  platform.clock.advance(0.81 * (Date.parse(before.expiresAt) - platform.clock.now()));
  platform.frontDoor.removePermission("RefreshWorker", "dynamodb:GetItem");
  await platform.sweep();
  const refresh = platform.template.eventSources[0]?.queueName ?? "";
  const dead =
    platform.template.queues.find(({ redrive }) => redrive !== undefined)?.redrive?.deadLetterQueue ?? "";
  for (let delivery = 1; delivery <= 6; delivery++) {
    await vi.waitFor(
      async () => {
        expect((await platform.frontDoor.queueDepth(refresh)).visible).toBe(0);
        expect(platform.lambda.isIdle()).toBe(true);
      },
      { timeout: 20_000, interval: 20 },
    );
    // After the queue's visibility timeout an undeleted message is received again.
    platform.clock.advance(30 * 60_000);
  }
  await vi.waitFor(
    async () => expect((await platform.frontDoor.queueDepth(dead)).visible).toBeGreaterThan(0),
    {
      timeout: 20_000,
    },
  );
  type Row = { kind: string; about: string; cause: string; received: number };
  const list = () => admin<Row[]>(["dead-letters", "list"]);
  const rows = await list();
  const row = rows.find(({ about }) => about === String(id));
  expect(row).toMatchObject({ kind: "refresh", cause: "schedule" });
  expect(row?.received).toBeGreaterThan(5);
  expect((await status()).lastRefreshedAt).toBe(before.lastRefreshedAt);

  platform.frontDoor.restorePermissions();
  expect(await admin(["dead-letters", "redrive"])).toEqual({ found: rows.length, moved: 0 });
  expect(await admin(["dead-letters", "redrive", "--yes"])).toEqual({
    found: rows.length,
    moved: rows.length,
  });
  await vi.waitFor(() => expect(platform.auditLog().at(-1)).toContain('"action":"dead_letters.redrive"'));
  // Other messages of the same instance may still be hidden after their last delivery.
  platform.clock.advance(30 * 60_000);
  await platform.settled();
  expect((await status()).lastRefreshedAt).not.toBe(before.lastRefreshedAt);
});
