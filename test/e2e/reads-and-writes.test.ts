import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance } from "./app.ts";

/** `reads / writes / KMS` of one call. */
type Cost = `${number} / ${number} / ${number}`;

const READS = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem"];
const WRITES = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"];

let platform: RunningPlatform;
let app: App;
let instance: CreatedInstance;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
  instance = await app.connect("dropbox");
  // The first use of a day writes to the instance; the document's table counts the later ones.
  await app.hub(instance.token, "GET", "/hubs/documents/ping");
  await platform.settled();
});
afterAll(() => platform.close());

async function code(): Promise<Record<string, unknown>> {
  const { oauthUrl } = await app.authorizationUrl("dropbox");
  const back = await app.consent("dropbox", oauthUrl);
  return {
    element: { key: "dropbox" },
    providerData: { code: back.searchParams.get("code"), state: back.searchParams.get("state") },
    configuration: { "oauth.callback.url": app.callbackUrl("dropbox") },
  };
}

/** For each row of the document's table: the function, the preparation, and the call. */
const calls: Readonly<
  Record<
    string,
    { by: string; prepare?: () => Promise<unknown>; call: (prepared: unknown) => Promise<{ status: number }> }
  >
> = {
  "Documents hub, Bearer": {
    by: "Documents",
    call: () => app.hub(instance.token, "GET", "/hubs/documents/ping"),
  },
  "Documents hub, three-part header": {
    by: "Documents",
    call: () =>
      app.call("GET", "/hubs/documents/ping", { authorization: app.hubAuthorization(instance.token) }),
  },
  "Proxy, Bearer": {
    by: "Proxy",
    call: () => app.hub(instance.token, "POST", "/proxy/2/users/get_current_account"),
  },
  Catalogue: { by: "Authorization", call: () => app.call("GET", "/elements") },
  "GET oauth/url": {
    by: "Authorization",
    call: () =>
      app.call(
        "GET",
        "/elements/dropbox/oauth/url?apiKey=k&apiSecret=s&callbackUrl=https%3A%2F%2Fapp.example%2Fcb",
      ),
  },
  "POST oauth/url": {
    by: "Authorization",
    call: () =>
      app.platform("POST", "/elements/dropbox/oauth/url", { callbackUrl: app.callbackUrl("dropbox") }),
  },
  "POST /instances": {
    by: "Connections",
    prepare: code,
    call: (body) => app.platform("POST", "/instances", body),
  },
  "GET /instances/{id}": { by: "Connections", call: () => app.platform("GET", `/instances/${instance.id}`) },
  "GET /instances/{id}/status": {
    by: "Connections",
    call: () => app.platform("GET", `/instances/${instance.id}/status`),
  },
  "POST /instances/{id}/refresh": {
    by: "Connections",
    // A refresh is allowed once a minute.
    prepare: async () => platform.clock.advance(61_000),
    call: () => app.platform("POST", `/instances/${instance.id}/refresh`),
  },
  "PATCH /instances/{id}, signed in again": {
    by: "Connections",
    prepare: code,
    call: (body) => app.platform("PATCH", `/instances/${instance.id}`, body),
  },
  "DELETE /instances/{id}": {
    by: "Connections",
    prepare: () => app.connect("dropbox"),
    call: (made) => app.platform("DELETE", `/instances/${(made as CreatedInstance).id}`),
  },
};

async function costOf(name: string, state: "cold" | "warm"): Promise<Cost> {
  const { by, prepare, call } = calls[name] ?? {
    by: "",
    call: () => Promise.reject(new Error(`no call ${name}`)),
  };
  const prepared = await prepare?.();
  await platform.settled();
  if (state === "cold") await endProcesses(by);
  platform.frontDoor.clearCalls();
  expect((await call(prepared)).status).toBe(200);
  await platform.settled();
  const actions = platform.frontDoor
    .calls()
    .filter(({ principal }) => principal === by)
    .map(({ action }) => action);
  const count = (of: readonly string[]) => actions.filter((action) => of.includes(action)).length;
  return `${count(READS)} / ${count(WRITES)} / ${count(["kms:Decrypt"])}`;
}

async function endProcesses(by: string): Promise<void> {
  platform.lambda.kill(by, "SIGKILL");
  const deadline = performance.now() + 10_000;
  while (platform.lambda.processes(by).length > 0) {
    if (performance.now() > deadline) throw new Error(`processes of ${by} did not end`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it("every call costs what docs/reads-and-writes.md says, cold and warm", { timeout: 90_000 }, async () => {
  const page = readFileSync(new URL("../../docs/reads-and-writes.md", import.meta.url), "utf8");
  const documented = Object.fromEntries(
    [...page.matchAll(/^\| ([^|]+?) \| (\d+ \/ \d+ \/ \d+) \| (\d+ \/ \d+ \/ \d+) \|/gm)].map(
      ([, name, cold, warm]) => [name, { cold, warm }],
    ),
  );
  const measured: Record<string, { cold: Cost; warm: Cost }> = {};
  for (const name of Object.keys(calls)) {
    const cold = await costOf(name, "cold");
    // Once more without counting: a second process may have started while the first was busy after its answer.
    await costOf(name, "warm");
    measured[name] = { cold, warm: await costOf(name, "warm") };
  }
  expect(measured).toEqual(documented);
});
