import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AuditEvent } from "../../functions/core/audit.ts";
import { FormBrowser } from "../form-browser.ts";
import { runAdmin } from "../platform/run-admin.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance, passVendor } from "./app.ts";

let platform: RunningPlatform;
let app: App;
let organizationId: string;
let seen = 0;
const lines: string[] = [];

beforeAll(async () => {
  platform = await startTestPlatform({ onLog: (_, line) => lines.push(line) });
  app = new App(platform.demo);
  const { answer } = await runAdmin<{ id: string; name: string }[]>(platform, ["organization", "list"]);
  organizationId = answer.find(({ name }) => name === "Demo")?.id ?? "";
});
afterAll(() => platform.close());
beforeEach(async () => {
  platform.frontDoor.clearFaults();
  await newEvents();
});

/** The events that were added to the audit log since the last call of this function. */
async function newEvents(): Promise<AuditEvent[]> {
  await platform.settled();
  const all = platform.auditLog().map((line) => JSON.parse(line) as AuditEvent);
  const fresh = all.slice(seen);
  seen = all.length;
  return fresh;
}

async function hostedFlow(claimant: string, allow = true): Promise<{ status: number }> {
  const session = await app.platform<{ id: string; connectUrl: string }>("POST", "/connect/sessions", {
    element: { key: "dropbox" },
    returnUrl: `${platform.url}/`,
    endUser: "u1",
  });
  const browser = new FormBrowser({ stopAt: (url) => url.startsWith(`${platform.url}/?`) });
  const atVendor = await browser.submit(await browser.open(session.body.connectUrl), /continue/i);
  const returned = new URL((await passVendor(browser, atVendor, { allow })).url);
  return await app.platform("POST", `/connect/sessions/${session.body.id}/claim`, {
    claim: returned.searchParams.get("claim") ?? "none",
    endUser: claimant,
  });
}

describe("the audit log", () => {
  it("records that an instance is created and deleted: by whom, on which instance, from which address, by which request", async () => {
    const { oauthUrl, state } = await app.authorizationUrl("dropbox");
    const back = await app.consent("dropbox", oauthUrl);
    const made = await app.platform<CreatedInstance>("POST", "/instances", {
      element: { key: "dropbox" },
      providerData: { code: back.searchParams.get("code"), state },
      configuration: { "oauth.callback.url": app.callbackUrl("dropbox") },
    });
    const refused = await app.hub(made.body.token, "DELETE", "/instances");
    const deleted = await app.call("DELETE", "/instances", {
      authorization: app.hubAuthorization(made.body.token),
    });
    const [create, refusal, remove, ...rest] = await newEvents();
    const common = {
      outcome: "done",
      organizationId,
      userId: expect.stringMatching(/^[0-9a-f]{24}$/),
      instanceId: made.body.id,
      connector: "dropbox",
      sourceIp: "127.0.0.1",
    };
    expect(create).toMatchObject({
      ...common,
      action: "instance.create",
      by: "user",
      requestId: made.headers.get("elements-request-id"),
    });
    expect(refusal).toMatchObject({
      ...common,
      action: "instance.delete",
      outcome: "needs_user",
      by: "instance",
      requestId: refused.headers.get("elements-request-id"),
    });
    expect(remove).toMatchObject({
      ...common,
      action: "instance.delete",
      by: "user",
      requestId: deleted.headers.get("elements-request-id"),
    });
    expect(rest).toEqual([]);
  });

  it("records every change by the name of what changed, never the value", async () => {
    const { id } = await app.connect("dropbox");
    const call = (method: string, at: string, json?: unknown) =>
      app.platform(method, `/instances/${id}${at}`, json);
    await call("PATCH", "", { name: "Renamed", configuration: { "some.key": "some-value" } });
    await call("PATCH", "/configuration/some.key", { propertyValue: "other-value" });
    await call("DELETE", "/enabled");
    await call("PUT", "/enabled");
    await call("POST", "/token", {});
    platform.clock.advance(2 * 60_000);
    await call("POST", "/refresh");
    const { oauthUrl } = await app.authorizationUrl("dropbox");
    const back = await app.consent("dropbox", oauthUrl);
    const providerData = { code: back.searchParams.get("code"), state: back.searchParams.get("state") };
    await call("PATCH", "", { providerData });
    await app.platform("GET", `/instances/${id}`);
    await app.platform("GET", "/instances");

    const events = await newEvents();
    expect(events.map(({ action, changed = [] }) => [action, ...changed].join(" "))).toEqual([
      "instance.create",
      "instance.change name configuration",
      "instance.change configuration",
      "instance.disable",
      "instance.enable",
      "instance.rotate_token",
      "instance.refresh",
      "instance.sign_in",
    ]);
    expect(events.every((event) => event.outcome === "done" && event.instanceId === id)).toBe(true);
    expect(JSON.stringify(events)).not.toMatch(/Renamed|some-value|other-value/);
  });

  it("records connect sessions: claimed, denied, refused to another end user", async () => {
    await hostedFlow("u1");
    await hostedFlow("u1", false);
    await hostedFlow("u2");
    const events = await newEvents();
    expect(events.map(({ action, outcome, by }) => `${action} ${outcome} by ${by}`)).toEqual([
      "session.create done by user",
      "session.connect done by browser",
      "session.claim done by user",
      "session.create done by user",
      "session.connect access_denied by browser",
      "session.claim not_connected by user",
      "session.create done by user",
      "session.connect done by browser",
      "session.claim end_user_mismatch by user",
    ]);
    expect(events.every((event) => event.userId !== undefined)).toBe(true);
  });

  it("records what a known caller was refused, but no calls with a guessed secret", async () => {
    await app.platform("DELETE", "/instances/123456789");
    await app.call("DELETE", "/instances/123456789", { authorization: "Bearer lsu_guess" });
    expect(await newEvents()).toMatchObject([
      { action: "instance.delete", outcome: "unknown_instance", organizationId },
    ]);
  });

  it("records what operators do, without any secret", async () => {
    const { answer } = await runAdmin<{ id: string; organizationSecret: string }>(platform, [
      "organization",
      "create",
      "Acme",
    ]);
    await runAdmin(platform, ["user", "create", "--organization", answer.id, "--email", "ada@acme.example"]);
    await runAdmin(platform, ["organization", "suspend", answer.id]);
    await runAdmin(platform, ["organization", "rotate-key", answer.id]);
    await runAdmin(platform, ["organization", "reseal", answer.id]);
    await runAdmin(platform, ["organization", "delete", answer.id, "--yes", "--now"]);
    await runAdmin(platform, ["organization", "list"]);
    const events = await newEvents();
    expect(events.map(({ action }) => action)).toEqual([
      "organization.create",
      "user.create",
      "organization.suspend",
      "organization.rotate_key",
      "organization.reseal",
      "organization.shred",
    ]);
    for (const event of events) {
      expect(event).toMatchObject({ by: "operator", outcome: "done", organizationId: answer.id });
      expect(event.operator).not.toBe("");
    }
    expect(JSON.stringify(events)).not.toContain(answer.organizationSecret);
  });

  it("records the owner of an instance that an operator ended", async () => {
    const { id } = await app.connect("dropbox");
    await newEvents();
    await runAdmin(platform, ["instance", "revoke", String(id)]);
    expect(await newEvents()).toMatchObject([
      {
        action: "instance.delete",
        by: "operator",
        outcome: "done",
        instanceId: id,
        connector: "dropbox",
        organizationId,
        userId: expect.stringMatching(/^[0-9a-f]{24}$/),
      },
    ]);
  });

  it("contains no secret, and its file can be read only by the file's owner", async () => {
    const all = platform.auditLog().join("\n");
    expect(all).not.toMatch(/ls[uoi]_|"code"|"state"|sl\.u\./);
    expect(all).not.toContain(app.settings.userSecret);
    const folder = path.join(platform.dataFolder, "logs");
    const [file = "", ...others] = readdirSync(folder);
    expect(others).toEqual([]);
    expect(readFileSync(path.join(folder, file), "utf8").trimEnd().split("\n")).toHaveLength(
      platform.auditLog().length,
    );
    expect(statSync(path.join(folder, file)).mode & 0o077).toBe(0);
  });

  it("records no calls on the hub and the proxy", async () => {
    const { token } = await app.connect("dropbox");
    await newEvents();
    await app.hub(token, "GET", "/hubs/documents/ping");
    await app.hub(token, "POST", "/proxy/2/users/get_current_account");
    expect(await newEvents()).toEqual([]);
  });

  it("does not fail a call when its queue is down: the call is answered, and the function's log has the event", async () => {
    const { id } = await app.connect("dropbox");
    await newEvents();
    platform.frontDoor.removePermission("Connections", "sqs:SendMessage");
    const answer = await app.platform("PATCH", `/instances/${id}`, { name: "Renamed" });
    platform.frontDoor.restorePermissions();
    expect(answer.status).toBe(200);
    expect(await newEvents()).toEqual([]);
    const kept = lines.find((line) => line.includes("audit event not taken"));
    expect(kept).toContain(`"requestId":"${answer.headers.get("elements-request-id")}"`);
  });

  it("can be written to only by the function that records events, which cannot read or empty the log", () => {
    const queue = platform.template.pipes[0]?.queueName ?? "";
    const arn = platform.template.queues.find(({ name }) => name === queue)?.arn ?? "";
    const may = (principal: string) =>
      ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:PurgeQueue"].filter((action) =>
        platform.frontDoor.isAllowed(principal, action, arn),
      );
    expect(may("Connections")).toEqual(["sqs:SendMessage"]);
    for (const { name } of platform.template.functions) {
      if (name !== "Connections") expect([name, may(name)]).toEqual([name, []]);
      const writes = platform.frontDoor.isAllowed(
        name,
        "logs:PutLogEvents",
        `arn:aws:logs:eu-west-1:000000000000:log-group:${platform.template.pipes[0]?.logGroup}:log-stream:x`,
      );
      expect([name, writes]).toEqual([name, false]);
    }
  });
});
