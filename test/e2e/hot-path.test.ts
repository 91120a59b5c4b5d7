import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance } from "./app.ts";

let platform: RunningPlatform;
let app: App;
let instance: CreatedInstance;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
  instance = await app.connect("dropbox");
});
afterAll(() => platform.close());

/**
 * Sends the calls one at a time, after as many calls to warm up. Each call waits until the process has finished its work
 * after the answer before it, so that no second, cold process starts.
 */
async function awsCallsOf(times: number, call: () => Promise<{ status: number }>): Promise<string[]> {
  const one = async (): Promise<void> => {
    expect((await call()).status).toBe(200);
    await platform.settled();
  };
  for (let index = 0; index < times; index++) await one();
  platform.frontDoor.clearCalls();
  for (let index = 0; index < times; index++) await one();
  return platform.frontDoor
    .calls()
    .filter((each) => each.principal === "Documents" || each.principal === "Proxy")
    .map((each) => each.action);
}

describe("a warm call with a valid token", () => {
  it("costs one DynamoDB read on the Documents hub: no write, no KMS", async () => {
    const calls = await awsCallsOf(5, () => app.hub(instance.token, "GET", "/hubs/documents/ping"));
    expect(calls).toEqual(Array(5).fill("dynamodb:GetItem"));
  });

  it("costs one DynamoDB read on the proxy: no write, no KMS", async () => {
    const calls = await awsCallsOf(5, () =>
      app.hub(instance.token, "POST", "/proxy/2/users/get_current_account"),
    );
    expect(calls).toEqual(Array(5).fill("dynamodb:GetItem"));
  });

  it("costs no more with the three-part header, once organization and user are in the cache", async () => {
    const three = app.hubAuthorization(instance.token);
    const calls = await awsCallsOf(5, () =>
      app.call("GET", "/hubs/documents/ping", { authorization: three }),
    );
    expect(calls).toEqual(Array(5).fill("dynamodb:GetItem"));
  });
});
