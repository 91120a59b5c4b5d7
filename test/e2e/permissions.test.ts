import { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { workQueue } from "../../functions/aws/work-queue.ts";
import { enqueueSuspension } from "../../functions/core/work-queue/enqueue.ts";
import { FormBrowser } from "../form-browser.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance, passVendor } from "./app.ts";

/** Permissions for actions that no test can cause on one machine, each with its reason. */
const neverUsed = new Map([
  // Logs go to a pipe here, and through Lambda's own agent on AWS; the SDK makes no call.
  ["logs:CreateLogStream", "Lambda's agent"],
  ["logs:PutLogEvents", "Lambda's agent"],
  // Lambda needs these actions before it polls, and when a function is throttled.
  ["sqs:GetQueueAttributes", "Lambda's event source mapping"],
  ["sqs:GetQueueUrl", "Lambda's event source mapping"],
  ["sqs:ChangeMessageVisibility", "Lambda's event source mapping"],
]);

const HOUR = 3_600_000;
const MINUTE = 60_000;
const serverError = { status: 500, code: "InternalServerError", count: 200 };

let platform: RunningPlatform;
let app: App;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
});
afterAll(() => platform.close());

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("it did not come about within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function sweepAndSettle(): Promise<void> {
  await platform.sweep();
  await platform.settled(60_000);
}

/** For each function a call that makes it refresh. */
const refreshingCalls = {
  Documents: ({ token }: CreatedInstance) => app.hub(token, "GET", "/hubs/documents/ping"),
  Proxy: ({ token }: CreatedInstance) => app.hub(token, "POST", "/proxy/2/users/get_current_account"),
  Connections: ({ id }: CreatedInstance) => app.platform("POST", `/instances/${id}/refresh`),
};

/** Makes each of the three functions refresh a different instance, all at the same time. */
function refreshAll(instances: readonly CreatedInstance[]): Promise<{ status: number }[]> {
  return Promise.all(
    Object.values(refreshingCalls).map((call, index) => call(instances[index] as CreatedInstance)),
  );
}

async function connectAndUse(): Promise<CreatedInstance[]> {
  const instances = [
    await app.connect("dropbox", { tags: ["all"] }),
    await app.connect("dropbox"),
    await app.connect("dropbox"),
  ];
  await app.hub(instances[0]?.token ?? "", "GET", "/hubs/documents/folders/contents?path=/");
  await app.platform("GET", "/instances");
  await app.platform("PATCH", `/instances/${instances[0]?.id}`, { name: "renamed" });

  // The same code again: the reservation names the instance that the code made.
  const { oauthUrl } = await app.authorizationUrl("dropbox");
  const back = await app.consent("dropbox", oauthUrl);
  const request = {
    element: { key: "dropbox" },
    providerData: { code: back.searchParams.get("code"), state: back.searchParams.get("state") },
    configuration: { "oauth.callback.url": app.callbackUrl("dropbox") },
  };
  await app.platform("POST", "/instances", request);
  await app.platform("POST", "/instances", request);

  // A new sign-in looks for older pending sign-ins of the instance.
  const again = await app.authorizationUrl("dropbox");
  const { searchParams } = await app.consent("dropbox", again.oauthUrl);
  const providerData = { code: searchParams.get("code"), state: searchParams.get("state") };
  await app.platform("PATCH", `/instances/${instances[0]?.id}`, { providerData });
  return instances;
}

/** One session is claimed by the user who began it, the other by another end user, so its instance must be deleted. */
async function goThroughHostedFlow(): Promise<void> {
  for (const claimant of ["u1", "u2"]) {
    const session = await app.platform<{ id: string; connectUrl: string }>("POST", "/connect/sessions", {
      element: { key: "dropbox" },
      returnUrl: `${platform.url}/`,
      endUser: "u1",
    });
    const browser = new FormBrowser({ stopAt: (url) => url.startsWith(`${platform.url}/?`) });
    const atVendor = await browser.submit(await browser.open(session.body.connectUrl), /continue/i);
    const returned = new URL((await passVendor(browser, atVendor)).url);
    await app.platform("POST", `/connect/sessions/${session.body.id}/claim`, {
      claim: returned.searchParams.get("claim"),
      endUser: claimant,
    });
  }
}

async function makeAndDeleteOAuthProxy(): Promise<void> {
  const path = "/elements/oauthProxies";
  const { body } = await app.platform<{ id: number }>("POST", path, { name: "permissions" });
  const url = encodeURIComponent("https://app.example/done");
  await app.platform("POST", `${path}/${body.id}/applicationUrl?applicationUrl=${url}`);
  expect((await app.platform("DELETE", `${path}/${body.id}`)).status).toBe(200);
}

/** More details of files than one query returns, so that a list reads them by their keys. */
async function describeManyFiles({ token }: CreatedInstance): Promise<void> {
  const description = "d".repeat(19_900);
  const made = Array.from({ length: 60 }, (_, index) => `/described/${index}`);
  for (const path of made)
    expect((await app.hub(token, "POST", "/folders", { path, description })).status).toBe(200);
  const listed = await app.hub<{ description?: string }[]>(
    token,
    "GET",
    "/folders/contents?path=/described&pageSize=50",
  );
  expect(listed.body.map((item) => item.description)).toEqual(Array(50).fill(description));
}

/** Refreshes just in time, by force, and by the schedule. */
async function refreshInEveryWay(instances: readonly CreatedInstance[]): Promise<void> {
  platform.clock.advance(5 * HOUR);
  expect((await refreshAll(instances)).map(({ status }) => status)).toEqual([200, 200, 200]);
  platform.clock.advance(3.7 * HOUR);
  await sweepAndSettle();
}

/** The table fails after the vendor's answer: the grant goes into the rescue bucket; sweep and worker bring it back. */
async function loseTheTableWithGrantsInHand(instances: readonly CreatedInstance[]): Promise<void> {
  platform.clock.advance(5 * HOUR);
  for (const principal of Object.keys(refreshingCalls)) {
    platform.frontDoor.fail({
      service: "dynamodb",
      action: "UpdateItem",
      principal,
      skip: 1,
      ...serverError,
    });
  }
  await refreshAll(instances);
  await platform.settled(60_000);
  platform.frontDoor.clearFaults();
  // The first reader of the record commits it: here a call, before any sweep.
  platform.clock.advance(2 * MINUTE);
  expect((await refreshAll(instances)).map(({ status }) => status)).toEqual([200, 200, 200]);
  await sweepAndSettle();

  platform.clock.advance(3.7 * HOUR);
  // All leases are taken before the vendor answers; after that no write succeeds.
  platform.vendors.dropbox?.fail({ endpoint: "token", delayMs: 1_000, count: 10 });
  platform.frontDoor.fail({
    service: "dynamodb",
    action: "UpdateItem",
    principal: "RefreshWorker",
    skip: 4,
    ...serverError,
  });
  await sweepAndSettle();
  platform.vendors.dropbox?.clearFaults();
  platform.frontDoor.clearFaults();
  platform.clock.advance(10 * MINUTE);
  await sweepAndSettle();

  // A first exchange: the state is taken and the code is reserved, then the table accepts nothing.
  platform.frontDoor.fail({
    service: "dynamodb",
    action: "PutItem",
    principal: "Connections",
    skip: 2,
    ...serverError,
  });
  await app.connect("dropbox");
  platform.frontDoor.clearFaults();
  await sweepAndSettle();
}

/** Processes die while they hold a lease: the next ones look into the bucket before they send the refresh token. */
async function dieWithLeases(instances: readonly CreatedInstance[]): Promise<void> {
  platform.clock.advance(5 * HOUR);
  platform.vendors.dropbox?.fail({ endpoint: "token", reset: "never", count: 3 });
  platform.frontDoor.clearCalls();
  const cut = refreshAll(instances);
  const taken = (principal: string) =>
    platform.frontDoor
      .calls()
      .some(
        (call) =>
          call.principal === principal && call.action === "dynamodb:UpdateItem" && call.status === 200,
      );
  await until(() => Object.keys(refreshingCalls).every(taken));
  for (const principal of Object.keys(refreshingCalls)) platform.lambda.kill(principal, "SIGKILL");
  await cut;
  await until(() =>
    Object.keys(refreshingCalls).every((each) => platform.lambda.processes(each).length === 0),
  );
  platform.vendors.dropbox?.clearFaults();
  platform.clock.advance(2 * MINUTE);
  expect((await refreshAll(instances)).map(({ status }) => status)).toEqual([200, 200, 200]);
}

/** The vendor refuses the client itself: each function pauses the client's refreshes, probes, and resumes them. */
async function refuseTheClient(instances: readonly CreatedInstance[]): Promise<void> {
  const refused = {
    endpoint: "token",
    status: 401,
    body: '{"error": "invalid_client"}',
    contentType: "application/json",
    count: 1000,
  } as const;
  for (const [index, call] of Object.values(refreshingCalls).entries()) {
    platform.clock.advance(5 * HOUR);
    platform.vendors.dropbox?.fail(refused);
    await call(instances[index] as CreatedInstance);
    platform.vendors.dropbox?.clearFaults();
    platform.clock.advance(6 * MINUTE);
    expect((await call(instances[index] as CreatedInstance)).status).toBe(200);
  }

  platform.clock.advance(3.7 * HOUR);
  platform.vendors.dropbox?.fail(refused);
  for (let round = 0; round < 3; round++) {
    await sweepAndSettle();
    platform.clock.advance(6 * MINUTE);
  }
  platform.vendors.dropbox?.clearFaults();
  platform.clock.advance(20 * MINUTE);
  await sweepAndSettle();
}

/**
 * The vendor refuses every grant with an error code of its own for more than a week: before a worker gives up a grant, it
 * counts the connector's refused grants.
 */
async function refuseGrantsForAWeek(): Promise<void> {
  platform.vendors.dropbox?.fail({
    endpoint: "token",
    status: 400,
    body: '{"error": "user_suspended", "error_description": "the team was suspended"}',
    contentType: "application/json",
    count: 100_000,
  });
  for (let half = 0; half < 17; half++) {
    platform.clock.advance(12.1 * HOUR);
    await sweepAndSettle();
  }
  platform.vendors.dropbox?.clearFaults();
  const held = platform.lambda.metrics("RefreshWorker").filter(({ HeldGrants }) => HeldGrants === 1);
  expect(held.length).toBeGreaterThan(0);
  expect(held[0]).toMatchObject({ connector: "dropbox" });
  platform.clock.advance(HOUR);
  await sweepAndSettle();
}

/** A revocation that ends the whole grant first looks for the account's other instances, when the index is up to date. */
async function deleteAll(instances: readonly CreatedInstance[]): Promise<void> {
  const drives = [await app.connect("googledrive"), await app.connect("googledrive")];
  for (const { id } of [...drives, ...instances]) await app.platform("DELETE", `/instances/${id}`);
  await sweepAndSettle();
  platform.clock.advance(MINUTE);
  await sweepAndSettle();
}

/** Does what `user suspend` does when the organization's list of suspended users is full. */
async function markInstancesOfAUser(): Promise<void> {
  const queueUrl = platform.template.stacks.flatMap(({ outputs }) => outputs.RefreshQueueUrl ?? [])[0] ?? "";
  const queue = workQueue({ queueUrl, client: new SQSClient(platform.operator) });
  await enqueueSuspension(queue, { organizationId: "an organization", userId: "a user" });
  await platform.settled();
}

it("every granted permission is used by a test", { timeout: 240_000 }, async () => {
  const instances = await connectAndUse();
  await goThroughHostedFlow();
  await makeAndDeleteOAuthProxy();
  await describeManyFiles(instances[1] as CreatedInstance);
  await refreshInEveryWay(instances);
  await loseTheTableWithGrantsInHand(instances);
  await dieWithLeases(instances);
  await refuseTheClient(instances);
  await refuseGrantsForAWeek();
  for (const { token } of instances)
    expect((await app.hub(token, "GET", "/hubs/documents/ping")).status).toBe(200);
  await deleteAll(instances);
  await markInstancesOfAUser();

  const used = new Set(platform.frontDoor.usedActions().map((use) => JSON.stringify(use)));
  const unused = platform.frontDoor
    .grantedActions()
    .filter((use) => !used.has(JSON.stringify(use)) && use.principal !== "Operator")
    .filter(({ principal, action }) => !neverUsed.has(action) && !neverUsed.has(`${principal} ${action}`))
    .map(({ principal, action, resource }) => `${principal}: ${action} on ${resource.replace(/^.*:/, "")}`);
  expect(unused).toEqual([]);
});
