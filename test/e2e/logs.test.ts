import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App } from "./app.ts";

const secrets: string[] = [];
const lines: string[] = [];
let platform: RunningPlatform;

beforeAll(async () => {
  platform = await startTestPlatform({ onLog: (_, line) => lines.push(line) });
  const app = new App(platform.demo);
  secrets.push(app.settings.userSecret, app.settings.organizationSecret);
  for (const connector of ["dropbox", "googledrive"]) {
    secrets.push(app.settings.connectors[connector]?.clientSecret ?? "");
    const { oauthUrl, state } = await app.authorizationUrl(connector);
    const back = await app.consent(connector, oauthUrl);
    const code = back.searchParams.get("code") ?? "";
    const created = await app.platform<{ id: number; token: string }>("POST", "/instances", {
      element: { key: connector },
      providerData: { code, state },
      configuration: { "oauth.callback.url": app.callbackUrl(connector) },
    });
    const { id, token } = created.body;
    secrets.push(state, code, token.split(".")[1] ?? "");
    await app.hub(token, "GET", "/hubs/documents/folders/contents?path=/");
    // Errors write most to the logs: a refused secret, a code used twice, a vendor whose answer is nonsense or missing.
    await app.call("GET", "/instances", {
      authorization: `User ${app.settings.userSecret}x, Organization ${app.settings.organizationSecret}`,
    });
    await app.platform("POST", "/instances", { element: { key: connector }, providerData: { code, state } });
    platform.vendors[connector]?.fail({
      endpoint: "api",
      status: 500,
      body: "<html>oops</html>",
      contentType: "text/html",
    });
    await app.hub(token, "GET", "/hubs/documents/folders/contents?path=/");
    platform.vendors[connector]?.fail({ endpoint: "token", status: 500 });
    await app.platform("POST", `/instances/${id}/refresh`);
    platform.frontDoor.fail({
      service: "dynamodb",
      action: "GetItem",
      principal: "Documents",
      count: 5,
      status: 500,
      code: "InternalServerError",
    });
    await app.hub(token, "GET", "/hubs/documents/ping");
    platform.frontDoor.clearFaults();
    platform.clock.advance(5 * 3_600_000);
    await platform.sweep();
    await platform.settled();
    await app.platform("DELETE", `/instances/${id}`);
    await platform.sweep();
    await platform.settled();
  }
});
afterAll(() => platform.close());

const metrics = (name: string) => platform.lambda.metrics(name) as readonly Record<string, unknown>[];

describe("what the functions log", () => {
  it("contains no secret: none of ours, no code, no state, no token of a vendor", () => {
    expect(lines.length).toBeGreaterThan(20);
    const all = lines.join("\n");
    expect(secrets.filter((secret) => secret === "" || all.includes(secret))).toEqual([]);
    // Prefixes of the stand-ins' tokens; the vendors' real tokens have the same.
    expect(all).not.toMatch(/\bsl\.u\.[\w-]{20}|\bya29\.[\w-]{20}|\b1\/\/[\w-]{20}/);
  });

  it("counts each request under its function and route, with the connector as a property", () => {
    const listing = metrics("Documents").find(
      ({ Route, status }) => String(Route).includes("contents") && status === 200,
    );
    expect(listing).toMatchObject({
      Stage: "dev",
      Function: "documents",
      Requests: 1,
      ServerErrors: 0,
      connector: "dropbox",
    });
    expect(listing?.Latency).toBeGreaterThan(0);
    expect(metrics("Documents").some(({ ServerErrors }) => ServerErrors === 1)).toBe(true);
  });

  it("counts each refresh by its outcome, and the totals of the sweep", () => {
    const outcomes = [...metrics("RefreshWorker"), ...metrics("Connections")].map(({ Outcome }) => Outcome);
    expect(outcomes).toEqual(expect.arrayContaining(["refreshed", "unreachable", "revoked"]));
    const refreshed = metrics("RefreshWorker").find(({ Outcome }) => Outcome === "refreshed");
    expect(refreshed).toMatchObject({ Refreshes: 1, cause: "schedule" });
    expect(metrics("RefreshSweep").some(({ Due, Queued }) => Number(Due) >= 1 && Due === Queued)).toBe(true);
    expect(metrics("RefreshSweep").every((each) => "OldestOverdue" in each && "RescueRecords" in each)).toBe(
      true,
    );
  });
});
