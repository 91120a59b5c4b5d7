import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App } from "./app.ts";

let platform: RunningPlatform;
let app: App;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
});
afterAll(() => platform?.close());

interface Problem {
  readonly code: string;
  readonly message: string;
}

describe("a path with double slashes", () => {
  const follow = (path: string, method = "GET", body?: string) =>
    fetch(`${app.settings.baseUrl}${path}`, {
      method,
      headers: { Authorization: app.platformAuthorization, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body }),
    });

  it("is read with single ones by the function that API Gateway chose", async () => {
    for (const path of ["/instances//count", "/elements//dropbox"]) {
      expect([path, (await app.platform("GET", path)).status]).toEqual([path, 200]);
    }
  });

  it("is redirected to the function that has it, with method, query and body", async () => {
    const moved = await app.platform<Problem>("GET", "//instances?tags[]=a b&searchText=");
    expect([moved.status, moved.body.code]).toEqual([307, "double_slashes"]);
    expect(moved.headers.get("location")).toBe(
      `${app.settings.baseUrl}/instances?tags%5B%5D=a+b&searchText=`,
    );
    for (const path of ["//instances", "/elements/dropbox//instances//count"]) {
      expect([path, (await follow(path)).status]).toEqual([path, 200]);
    }
    const made = await follow("/elements//oauthProxies", "POST", '{"name": "double"}');
    expect([made.status, ((await made.json()) as { name: string }).name]).toEqual([200, "double"]);
    expect((await follow("/elements//oauthProxies")).status).toBe(200);
    const url = await follow("//elements//dropbox/oauth/url", "POST", '{"state": "mine"}');
    expect(url.status).toBe(200);
    expect(((await url.json()) as { state: string }).state).toMatch(/^ls_/);
  });

  it("is told from a vendor's answer before the proxy", async () => {
    const { status, headers } = await app.platform("GET", "//proxy/2/files");
    expect([status, headers.get("elements-error-source")]).toEqual([307, "linkspan"]);
  });

  it("is never redirected to itself", async () => {
    for (const path of ["/files/proxy/x//y", "/foo/proxy/a//b", "/instances/proxy//x//"]) {
      // fetch fails at a redirect without an end.
      expect([path, (await follow(path)).status]).toEqual([path, 404]);
    }
  });

  it("never leads to another host", async () => {
    for (const path of ["//evil.example", "///evil.example/x", "//evil.example//%2f/..", "//@evil.example"]) {
      const { status, headers } = await app.platform("GET", path);
      const location = headers.get("location");
      expect([path, status]).toEqual([path, 307]);
      expect(new URL(location ?? "").origin).toBe(new URL(app.settings.baseUrl).origin);
    }
    expect((await follow("//evil.example")).status).toBe(404);
  });

  it("keeps those of the vendor's own path", async () => {
    const { token } = await app.connect("dropbox");
    platform.vendors.dropbox?.clearRequests();
    await app.hub(token, "GET", "/proxy/2//files//x");
    expect(platform.vendors.dropbox?.requests().at(-1)?.path).toBe("/2//files//x");
    await app.hub(token, "GET", "/proxy//2//files//x");
    expect(platform.vendors.dropbox?.requests().at(-1)?.path).toBe("/2//files//x");
  });
});

describe("the image of an element", () => {
  it("is at the host's /elements/images, with and without /api-v2", async () => {
    const { origin } = new URL(app.settings.baseUrl);
    for (const base of [`${origin}/elements/images`, `${app.settings.baseUrl}/elements/images`]) {
      const answer = await fetch(`${base}/dropbox.svg`);
      expect([base, answer.status, answer.headers.get("content-type")]).toEqual([base, 200, "image/svg+xml"]);
    }
    expect((await fetch(`${origin}/elements/images/nothing.svg`)).status).toBe(404);
  });
});
