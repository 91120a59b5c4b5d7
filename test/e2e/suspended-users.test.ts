import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dynamoClient } from "../../functions/aws/store-time.ts";
import { MOST_LISTED } from "../../functions/core/tenants/suspended-users.ts";
import { FormBrowser } from "../form-browser.ts";
import { runAdmin } from "../platform/run-admin.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance, passVendor } from "./app.ts";
import { operatorOf, scanTable, storedInstance } from "./tenants.ts";

const RETURN_URL = "https://app.example/back";
const HTTP = ["Connections", "Documents", "Proxy", "Authorization"];
let platform: RunningPlatform;
let organizationId: string;
let userId: string;
let app: App;
let colleague: App;
let instance: CreatedInstance;
let others: CreatedInstance;

beforeAll(async () => {
  platform = await startTestPlatform();
  const admin = operatorOf(platform);
  organizationId = (await admin.listOrganizations())[0]?.id ?? "";
  await admin.setAllowLists(organizationId, { returnUrls: [RETURN_URL] });
  const made = await admin.createUser({
    organizationId,
    email: "sue@example.com",
    firstName: "Sue",
    lastName: "Spended",
  });
  userId = made.user.id;
  app = new App({ ...platform.demo, userSecret: made.secret });
  colleague = new App(platform.demo);
  instance = await app.connect("dropbox");
  others = await colleague.connect("dropbox");
}, 60_000);
afterAll(() => platform.close());
beforeEach(async () => {
  if ((await records().user(organizationId, userId))?.status !== "active") await resume();
});

const records = () => {
  const admin = operatorOf(platform);
  return {
    user: async (of: string, id: string) => (await admin.listUsers(of)).find((each) => each.id === id),
  };
};

/** Ends all processes, because what a process keeps in memory may be up to 30 s old. */
async function forget(): Promise<void> {
  await platform.settled();
  for (const each of HTTP) {
    platform.lambda.kill(each, "SIGKILL");
    const deadline = performance.now() + 10_000;
    while (platform.lambda.processes(each).length > 0) {
      if (performance.now() > deadline) throw new Error(`processes of ${each} did not end`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
const suspend = async () => {
  await runAdmin(platform, ["user", "suspend", userId, "--organization", organizationId]);
  await forget();
};
const resume = async () => {
  await runAdmin(platform, ["user", "resume", userId, "--organization", organizationId]);
  await forget();
};

/** Every way to use or change the instance, or to read its user's data. */
const calls = (link: string): [string, () => Promise<{ status: number }>][] => {
  const by = (authorization: string) => (method: string, path: string, json?: unknown) =>
    app.call(method, path, { authorization, ...(json === undefined ? {} : { json }) });
  const token = by(`Bearer ${instance.token}`);
  const userAndElement = by(`User ${app.settings.userSecret}, Element ${instance.token}`);
  const all = by(app.hubAuthorization(instance.token));
  const user = by(app.platformAuthorization);
  const bearer = by(`Bearer ${app.settings.userSecret}`);
  const { id } = instance;
  return [
    ["the hub", () => token("GET", "/hubs/documents/ping")],
    ["the hub's short form", () => token("GET", "/folders/contents?path=/")],
    ["the hub with User and Element", () => userAndElement("GET", "/hubs/documents/ping")],
    ["the hub with all three", () => all("GET", "/hubs/documents/ping")],
    ["the proxy", () => token("POST", "/proxy/2/users/get_current_account")],
    ["the proxy with all three", () => all("POST", "/proxy/2/users/get_current_account")],
    ["its own instance", () => token("GET", "/instances")],
    ["its configuration", () => token("GET", `/instances/${id}/configuration`)],
    ["its status", () => token("GET", "/instances/status")],
    ["a refresh", () => token("POST", "/instances/refresh")],
    ["a rotation", () => token("POST", "/instances/token")],
    ["a change", () => all("PATCH", "/instances", { name: "New" })],
    ["a rotation by the user", () => user("POST", `/instances/${id}/token`)],
    ["a delete", () => user("DELETE", `/instances/${id}`)],
    ["the list", () => user("GET", "/instances")],
    ["the list by Bearer", () => bearer("GET", "/instances")],
    ["an authorization URL", () => user("POST", "/elements/dropbox/oauth/url", {})],
    ["a connect session", () => user("POST", "/connect/sessions", { element: "dropbox" })],
    ["a signed link", () => app.call("GET", link)],
  ];
};

async function aLink(): Promise<string> {
  await app.call("POST", "/files?path=/link.txt&overwrite=true", {
    authorization: `Bearer ${instance.token}`,
    body: "linked",
    headers: { "Content-Type": "text/plain" },
  });
  const { body } = await app.hub<{ cloudElementsLink: string }>(
    instance.token,
    "GET",
    "/files/links?path=/link.txt",
  );
  return body.cloudElementsLink;
}

async function expectDead(link: string): Promise<void> {
  for (const [name, call] of calls(link)) {
    const { status } = await call();
    expect([name, status]).toEqual([name, name === "a signed link" ? 404 : 401]);
  }
}

describe("a suspended user", { timeout: 120_000 }, () => {
  it("is refused on every call and link, and no other user is; after a resume everything works as before", async () => {
    const link = await aLink();
    expect((await app.call("GET", link)).body).toBe("linked");
    await suspend();
    await expectDead(link);
    expect((await colleague.hub(others.token, "GET", "/hubs/documents/ping")).status).toBe(200);
    expect((await colleague.platform("GET", "/instances")).status).toBe(200);

    await resume();
    expect((await app.call("GET", link)).body).toBe("linked");
    expect((await app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(200);
    expect((await app.platform("PATCH", `/instances/${instance.id}`, { name: "Back" })).status).toBe(200);
  });

  it("keeps the grants, which are refreshed as they come due", async () => {
    await suspend();
    const before = await storedInstance(platform, instance.id);
    platform.clock.advance(3.9 * 3_600_000);
    await platform.sweep();
    await platform.settled();
    const after = await storedInstance(platform, instance.id);
    expect(after?.version).toBeGreaterThan(before?.version ?? 0);
    await resume();
    expect((await app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(200);
  });

  it("who was suspended before the list existed is suspended too", async () => {
    const link = await aLink();
    await suspend();
    const { documents } = dynamoClient(platform.operator);
    const outputs = Object.assign({}, ...platform.template.stacks.map((stack) => stack.outputs));
    await documents.send(
      new UpdateCommand({
        TableName: outputs.TenantsTable,
        Key: { id: `organization#${organizationId}`, item: "organization" },
        UpdateExpression: "REMOVE #value.suspendedUsers",
        ExpressionAttributeNames: { "#value": "value" },
      }),
    );
    await forget();
    await expectDead(link);
    expect((await colleague.hub(others.token, "GET", "/hubs/documents/ping")).status).toBe(200);
  });

  it("is marked on the instances when the list is full, also on those that were just created", async () => {
    const link = await aLink();
    const { documents } = dynamoClient(platform.operator);
    const outputs = Object.assign({}, ...platform.template.stacks.map((stack) => stack.outputs));
    const setList = (ids: string[]) =>
      documents.send(
        new UpdateCommand({
          TableName: outputs.TenantsTable,
          Key: { id: `organization#${organizationId}`, item: "organization" },
          UpdateExpression: "SET #value.suspendedUsers = :ids",
          ExpressionAttributeNames: { "#value": "value" },
          ExpressionAttributeValues: { ":ids": ids },
        }),
      );
    await setList(Array.from({ length: MOST_LISTED }, (_, index) => `somebody-${index}`));
    await suspend();
    expect((await storedInstance(platform, instance.id))?.userSuspended).toBe(true);
    await expectDead(link);
    expect((await storedInstance(platform, others.id))?.userSuspended).toBeUndefined();
    expect((await colleague.hub(others.token, "GET", "/hubs/documents/ping")).status).toBe(200);

    await resume();
    expect(await storedInstance(platform, instance.id)).not.toHaveProperty("userSuspended");
    expect((await app.hub(instance.token, "GET", "/hubs/documents/ping")).status).toBe(200);
    await setList([]);
    // The second message, for instances made meanwhile, finds the user active.
    platform.clock.advance(200_000);
    await platform.settled();
    expect(await storedInstance(platform, instance.id)).not.toHaveProperty("userSuspended");
  });
});

describe("the hosted flow", { timeout: 120_000 }, () => {
  interface Session {
    readonly id: string;
    readonly connectUrl: string;
  }
  const createSession = async (more: Record<string, unknown> = {}): Promise<Session> => {
    const body = { element: { key: "dropbox" }, returnUrl: RETURN_URL, endUser: "u1", ...more };
    return (await app.platform<Session>("POST", "/connect/sessions", body)).body;
  };
  const person = () => new FormBrowser({ stopAt: (url) => url.startsWith(RETURN_URL) });
  const suspendOrganization = async (status: "suspend" | "resume") => {
    await runAdmin(platform, ["organization", status, organizationId]);
    await forget();
  };
  const suspensions: [string, () => Promise<void>, () => Promise<void>][] = [
    ["user", suspend, resume],
    ["organization", () => suspendOrganization("suspend"), () => suspendOrganization("resume")],
  ];

  it.each(suspensions)("of a suspended %s opens no page", async (_, stop, start) => {
    const [opened, unopened] = [await createSession(), await createSession()];
    const browser = person();
    const page = await browser.open(opened.connectUrl);
    await stop();
    expect((await person().open(unopened.connectUrl)).status).toBe(404);
    expect((await browser.open(opened.connectUrl)).status).toBe(404);
    expect((await browser.submit(page, /continue with/i)).status).toBe(404);
    await start();
    expect((await browser.open(opened.connectUrl)).status).toBe(200);
  });

  it.each(suspensions)(
    "of a %s who is suspended meanwhile creates nothing, and sends no code",
    async (_, stop, start) => {
      for (const more of [{}, { instanceId: instance.id, element: undefined }]) {
        const session = await createSession(more);
        // The browser stops on its way back from the vendor, and continues after the suspension.
        let stopsAt = `${platform.baseUrl}/oauth/callback/`;
        const browser = new FormBrowser({ stopAt: (url) => url.startsWith(stopsAt) });
        const vendorPage = await browser.submit(await browser.open(session.connectUrl), /continue with/i);
        const back = await passVendor(browser, vendorPage);
        platform.vendors.dropbox?.clearRequests();
        const before = [
          await scanTable(platform, "InstancesTable"),
          await storedInstance(platform, instance.id),
        ];
        await stop();
        stopsAt = RETURN_URL;
        const answer = await browser.open(back.url);
        expect([answer.status, answer.url]).toEqual([404, back.url]);
        expect(platform.vendors.dropbox?.tokenRequests("authorization_code")).toBe(0);
        const claimed = await app.platform("POST", `/connect/sessions/${session.id}/claim`, {
          claim: "none",
          endUser: "u1",
        });
        expect(claimed.status).toBe(401);
        expect([
          await scanTable(platform, "InstancesTable"),
          await storedInstance(platform, instance.id),
        ]).toEqual(before);
        await start();
      }
    },
  );
});
