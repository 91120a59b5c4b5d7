import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance } from "./app.ts";

describe("functions on the local platform", () => {
  let platform: RunningPlatform;
  let app: App;
  beforeAll(async () => {
    platform = await startTestPlatform();
    app = new App(platform.demo);
  });
  afterAll(() => platform.close());

  it("run in processes of their own, each under its own credentials", async () => {
    const instance = await app.connect("dropbox");
    await app.hub(instance.token, "GET", "/hubs/documents/ping");
    await app.hub(instance.token, "POST", "/proxy/2/users/get_current_account");
    await platform.sweep();

    const all = platform.template.functions.flatMap(({ name }) =>
      platform.lambda.processes(name).map((one) => ({ name, ...one })),
    );
    const keysByFunction = new Map(all.map(({ name, accessKeyId }) => [name, accessKeyId]));
    expect(keysByFunction.size).toBeGreaterThanOrEqual(5);
    expect(new Set(keysByFunction.values()).size).toBe(keysByFunction.size);
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(all.length);
    expect(all.some(({ pid }) => pid === process.pid)).toBe(false);
  });

  it("fail by name when a permission is removed, and work again when it is restored", async () => {
    const instance = await app.connect("dropbox");
    platform.frontDoor.removePermission("Documents", "dynamodb:GetItem");
    const refused = await app.hub<{ code: string }>(instance.token, "GET", "/hubs/documents/ping");
    expect(refused.status).toBeGreaterThanOrEqual(500);
    expect(JSON.stringify(refused.body)).not.toContain("dynamodb");
    const denied = platform.frontDoor
      .calls()
      .find(({ principal, code }) => principal === "Documents" && code !== undefined);
    expect(denied).toMatchObject({ action: "dynamodb:GetItem", resource: expect.stringContaining("table/") });
    expect(platform.lambda.logs("Documents").join("\n")).toMatch(
      /not authorized to perform: dynamodb:GetItem on resource/,
    );

    platform.frontDoor.restorePermissions();
    expect((await app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(200);
  });
});

it("keeps instances, secrets and keys over a restart, and the vendors their files and grants", async () => {
  const folder = await mkdtemp(join(tmpdir(), "linkspan-restart-"));
  try {
    const first = await startTestPlatform({ dataFolder: folder });
    const before = new App(first.demo);
    const bytes = randomBytes(300_000);
    const file = "/hubs/documents/files?path=/kept/bytes.bin";
    const instances: CreatedInstance[] = [];
    const connectors = ["dropbox", "googledrive"];
    for (const connector of connectors) {
      const instance = await before.connect(connector);
      const headers = { "Content-Type": "application/octet-stream" };
      const authorization = `Bearer ${instance.token}`;
      const upload = await before.call("POST", file, { authorization, headers, body: bytes });
      expect(upload.status).toBe(200);
      instances.push(instance);
    }
    await first.close();

    const second = await startTestPlatform({ dataFolder: folder });
    try {
      const after = new App(second.demo);
      expect(after.settings.userSecret).toBe(before.settings.userSecret);
      for (const { id, token } of instances) {
        const status = await after.platform<{ valid: boolean }>("GET", `/instances/${id}/status`);
        expect([status.status, status.body.valid]).toEqual([200, true]);
        const listed = await after.hub<{ name: string }[]>(
          token,
          "GET",
          "/hubs/documents/folders/contents?path=/kept",
        );
        expect([listed.status, listed.body.map(({ name }) => name)]).toEqual([200, ["bytes.bin"]]);
        const headers = { Authorization: `Bearer ${token}` };
        const download = await fetch(after.settings.baseUrl + file, { headers });
        expect(download.status).toBe(200);
        expect(bytes.equals(Buffer.from(await download.arrayBuffer()))).toBe(true);
      }
      // Longer than an access token's lifetime at either vendor, so the calls need the refresh tokens.
      second.clock.advance(5 * 3_600_000);
      for (const { token } of instances) {
        const listed = await after.hub(token, "GET", "/hubs/documents/folders/contents?path=/kept");
        expect(listed.status).toBe(200);
      }
      for (const connector of connectors)
        expect(second.vendors[connector]?.tokenRequests("refresh_token")).toBeGreaterThan(0);
    } finally {
      await second.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it("refuses a second platform on the same folder", async () => {
  const platform = await startTestPlatform();
  try {
    await expect(startTestPlatform({ dataFolder: platform.dataFolder })).rejects.toThrow(
      /another Linkspan \(process \d+\) uses .*platform\.pid/,
    );
  } finally {
    await platform.close();
  }
});
